import * as vscode from 'vscode';
import type { LayerView } from '../../protocol/views';
import { formatBytes, formatCount } from '../format';

/**
 * What a layer came to, for a hover: bits, bytes and work, with a link to it in the editor. Names come from the model
 * and are text.
 */
export function layerHover(model: vscode.Uri, layer: LayerView): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  text.isTrusted = { enabledCommands: ['quantmcu.showLayer'] };
  text.supportThemeIcons = true;
  const line = (label: string, value: string): void => {
    text.appendMarkdown(`\n- ${label}: `).appendText(value);
  };
  text
    .appendMarkdown('**')
    .appendText(layer.name)
    .appendMarkdown('** ')
    .appendText([layer.operators, layer.detail].filter((part) => part !== '').join(', '));
  text.appendMarkdown('\n');
  const { plan, output } = layer;
  if (plan) {
    if (plan.weightBits !== null)
      line(vscode.l10n.t('Weights'), vscode.l10n.t('{0} bits, {1}', plan.weightBits, formatBytes(plan.weightBytes)));
    line(vscode.l10n.t('Reads'), vscode.l10n.t('{0} bits', plan.inputBits));
    const shape = output ? `, ${output.h}×${output.w}×${output.c}` : '';
    line(
      vscode.l10n.t('Writes'),
      vscode.l10n.t('{0} bits, {1}', plan.bits, `${formatBytes(plan.mapBytes)}${shape} (${layer.outputName})`),
    );
    if (plan.bitOps > 0) line('BitOPs', formatCount(plan.bitOps));
    if (plan.inPatchStage) line(vscode.l10n.t('Patch stage'), vscode.l10n.t('computed patch by patch'));
    if (plan.locked) line(vscode.l10n.t('Locked'), vscode.l10n.t('the next search keeps these bits'));
  }
  const macs = plan?.macs ?? layer.macs;
  if (macs > 0) line('MACs', formatCount(macs));
  const link = `command:quantmcu.showLayer?${encodeURIComponent(JSON.stringify([model.toString(), layer.id]))}`;
  text.appendMarkdown(`\n\n[$(symbol-structure) ${vscode.l10n.t('Show in the Editor')}](${link})`);
  return text;
}

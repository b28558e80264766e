import * as vscode from 'vscode';
import type { EditorView } from '../protocol/views';
import { boardName } from './boardName';
import { activeFile } from './commands/model';
import { Disposable } from './dispose';
import type { ModelDocuments } from './editor/documents';
import { formatBytes } from './format';
import { isModel, isPlan, modelUriOf, nameOf } from './planFiles';

/** Model, board and SRAM of the model or plan in front; a click opens its editor. Hidden for everything else. */
export class StatusBar extends Disposable {
  private readonly item = this.own(
    vscode.window.createStatusBarItem('quantmcu.model', vscode.StatusBarAlignment.Left, 10),
  );
  /** Counts updates, so that a slow one does not overwrite a later one's result. */
  private update = 0;

  constructor(private readonly documents: ModelDocuments) {
    super();
    this.item.name = 'QuantMCU';
    const refresh = (): void => void this.refresh();
    this.own(vscode.window.tabGroups.onDidChangeTabs(refresh));
    this.own(vscode.window.tabGroups.onDidChangeTabGroups(refresh));
    this.own(documents.onDidChange(refresh));
    refresh();
  }

  /** What is shown there now; undefined when it is hidden. */
  private async refresh(): Promise<void> {
    const update = ++this.update;
    const file = activeFile();
    const model = file && (isModel(file) ? file : isPlan(file) ? await modelUriOf(file) : undefined);
    if (update !== this.update || this.isDisposed) return;
    if (!model || model.scheme !== 'file') {
      this.item.hide();
      return;
    }
    const view = await this.documents
      .get(model)
      .view()
      .catch(() => undefined);
    if (update !== this.update || this.isDisposed) return;
    const { text, tooltip, warning } = describeModel(nameOf(model), view);
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label: tooltip };
    this.item.backgroundColor = warning ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.item.command = {
      title: vscode.l10n.t('Show in the Editor'),
      command: 'quantmcu.showLayer',
      arguments: [model],
    };
    this.item.show();
  }
}

/** @param view undefined for a file that cannot be read */
export function describeModel(
  name: string,
  view: EditorView | undefined,
): { readonly text: string; readonly tooltip: string; readonly warning: boolean } {
  const item = (icon: string, state: string, tooltip: string, warning = false) => ({
    text: `$(${icon}) ${name}: ${state}`,
    tooltip,
    warning,
  });
  if (!view)
    return item(
      'error',
      vscode.l10n.t('cannot be read'),
      vscode.l10n.t('{0} cannot be read as an ONNX model.', name),
      true,
    );
  const { model, plan, planProblem } = view;
  if (model.problems.length > 0)
    return item(
      'warning',
      model.problems.length === 1 ? vscode.l10n.t('1 problem') : vscode.l10n.t('{0} problems', model.problems.length),
      model.problems.length === 1
        ? vscode.l10n.t('{0} has 1 node that cannot be quantized.', name)
        : vscode.l10n.t('{0} has {1} nodes that cannot be quantized.', name, model.problems.length),
      true,
    );
  if (planProblem !== null) return item('warning', vscode.l10n.t('plan cannot be used'), planProblem, true);
  if (!plan) return item('circle-outline', vscode.l10n.t('not quantized'), vscode.l10n.t('{0} has no plan yet.', name));
  const {
    target,
    figures: { arenaBytes, flashBytes },
  } = plan;
  const over = arenaBytes > target.sramBytes || flashBytes > target.flashBytes;
  const sram = vscode.l10n.t('{0} of {1} SRAM', formatBytes(arenaBytes), formatBytes(target.sramBytes));
  const tooltip = vscode.l10n.t(
    '{0} on {1}: {2}, {3} of {4} flash',
    name,
    boardName(target),
    sram,
    formatBytes(flashBytes),
    formatBytes(target.flashBytes),
  );
  return item(over ? 'warning' : 'circuit-board', `${boardName(target)}, ${sram}`, tooltip, over);
}

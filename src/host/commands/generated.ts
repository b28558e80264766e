import * as path from 'node:path';
import * as vscode from 'vscode';
import type { GenerateSummary } from '../../protocol/engine';
import { formatBytes } from '../format';
import type { Services } from '../services';
import { insertUsage } from './insertUsage';

/**
 * Tells what was generated: in the model's editor where one is open, with what to do next, else as a notification.
 */
export async function tellGenerated(
  { editors, log }: Pick<Services, 'editors' | 'log'>,
  model: vscode.Uri,
  project: vscode.Uri,
  summary: GenerateSummary,
): Promise<void> {
  const { name, written, unchanged, removed, folder, layout, instructions, usage } = summary;
  const header = [...written, ...unchanged].find((file) => path.posix.basename(file) === `${name}.h`);
  const place = { project, usage, header: header === undefined ? null : vscode.Uri.joinPath(project, header) };
  const { arenaBytes, weightBytes, flashBytes } = summary;
  const isTold = await editors.showGenerated(model, place, {
    name,
    folder: vscode.workspace.asRelativePath(folder),
    layout,
    written: written.length,
    removed: removed.length,
    upToDate: unchanged.length,
    arenaBytes,
    weightBytes,
    flashBytes,
    code: [...usage.includes.map((file) => `#include ${file}\n`), '\n', usage.code].join(''),
    instructions,
  });
  if (isTold) return;
  const open = vscode.l10n.t('Open Header');
  const insert = vscode.l10n.t('Insert into main.c');
  const show = vscode.l10n.t('What to Add to the Build');
  const answer = await vscode.window.showInformationMessage(
    generatedText(summary),
    ...(place.header === null ? [] : [open, insert]),
    ...(instructions.length > 0 ? [show] : []),
  );
  if (answer === show) log.show();
  if (answer === insert) await insertUsage(project, usage);
  if (answer === open && place.header !== null) await vscode.window.showTextDocument(place.header);
}

function generatedText({ name, folder, written, removed, unchanged, arenaBytes, flashBytes }: GenerateSummary): string {
  const where = vscode.workspace.asRelativePath(folder);
  if (written.length + removed.length === 0)
    return vscode.l10n.t(
      '{0}: all {1} files in {2} are up to date. There is nothing to do.',
      name,
      unchanged.length,
      where,
    );
  const [arena, flash] = [formatBytes(arenaBytes), formatBytes(flashBytes)];
  return written.length === 1
    ? vscode.l10n.t('{0}: 1 file written to {1}; arena {2}, flash {3}.', name, where, arena, flash)
    : vscode.l10n.t('{0}: {1} files written to {2}; arena {3}, flash {4}.', name, written.length, where, arena, flash);
}

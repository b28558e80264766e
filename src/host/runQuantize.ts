import * as vscode from 'vscode';
import { OWN_BOARD_ID } from '../protocol/boards';
import type { QuantizeSummary } from '../engine/run/quantizeSummary';
import type { QuantizeChoices } from './commands/quantizeChoices';
import { formatBytes } from './format';
import { nameOf, planUriOf } from './planFiles';
import type { Services } from './services';
import { quantizeSettings } from './settings';

/** What a run of this kind is called, in notifications and in the log. */
export function quantizeAction(model: vscode.Uri, { board }: QuantizeChoices): string {
  return vscode.l10n.t('Quantize {0} for {1}', nameOf(model), board.name);
}

/**
 * Quantizes a model as chosen and as the settings say, and writes the plan beside it: one job with progress that can be
 * cancelled.
 */
export async function runQuantize(
  { documents, engine, jobs, log }: Pick<Services, 'documents' | 'engine' | 'jobs' | 'log'>,
  model: vscode.Uri,
  choices: QuantizeChoices,
): Promise<QuantizeSummary> {
  const { sramBytes, flashBytes, ...settings } = quantizeSettings(model);
  const { board, limits, imagesPath, preprocess } = choices;
  // The engine knows the figures of a board of the table itself.
  const own = board.id === OWN_BOARD_ID ? board : undefined;
  const summary = await jobs.run(model, quantizeAction(model, choices), (options) =>
    engine.run(
      (e) =>
        e.quantize({
          ...settings,
          modelPath: model.fsPath,
          planPath: planUriOf(model).fsPath,
          imagesPath,
          preprocess,
          targetId: board.id,
          core: own?.core,
          sramBytes: limits?.sramBytes ?? sramBytes ?? own?.sramBytes,
          flashBytes: limits?.flashBytes ?? flashBytes ?? own?.flashBytes,
        }),
      options,
    ),
  );
  documents.reload(model);
  for (const note of summary.notes) log.info(`${nameOf(model)}: ${note}`);
  return summary;
}

/** What came of it, in one line. */
export function describeSummary(model: vscode.Uri, summary: QuantizeSummary): string {
  return vscode.l10n.t(
    '{0}: arena {1} of {2}, weights {3}, {4}× fewer BitOPs than 8 bits.',
    nameOf(model),
    formatBytes(summary.memory.arenaBytes),
    formatBytes(summary.memory.sramBytes),
    formatBytes(summary.memory.weightBytes),
    summary.bitOps.reduction.toFixed(2),
  );
}

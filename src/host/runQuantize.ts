import * as vscode from 'vscode';
import { OWN_BOARD_ID } from '../protocol/boards';
import type { QuantizeSummary } from '../engine/run/quantizeSummary';
import type { QuantizeRequest } from '../protocol/engine';
import type { QuantizeChoices } from './commands/quantizeChoices';
import { isCancellation } from './log';
import { exists, nameOf, parametersUriOf, planUriOf } from './planFiles';
import type { Services } from './services';
import { flashReserveSetting, optimizeSetting, quantizeSettings } from './settings';

/** What a run of this kind is called, in notifications and in the log. */
export function quantizeAction(model: vscode.Uri, { board }: QuantizeChoices): string {
  return vscode.l10n.t('Quantize {0} for {1}', nameOf(model), board.name);
}

/**
 * Quantizes a model as chosen and as the settings say, and writes the plan beside it: one job with progress that can be
 * cancelled, or ended with what it has reached. An editor of the model shows the plans on the way to it.
 */
export async function runQuantize(
  { documents, engine, jobs, log }: Pick<Services, 'documents' | 'engine' | 'jobs' | 'log'>,
  model: vscode.Uri,
  choices: QuantizeChoices,
  asked: Asked = {},
): Promise<QuantizeSummary> {
  const isNew = !(await exists(planUriOf(model)));
  try {
    return await run({ documents, engine, jobs, log }, model, choices, asked);
  } catch (error) {
    // The plans that were shown on the way go with the run that was given up.
    if (isNew && isCancellation(error)) {
      for (const file of [planUriOf(model), parametersUriOf(model)])
        await vscode.workspace.fs.delete(file).then(undefined, () => undefined);
      documents.reload(model);
    }
    throw error;
  }
}

/** What is asked of one run and comes before the settings. */
export type Asked = Pick<
  QuantizeRequest,
  'accuracyBudget' | 'bitOpsTarget' | 'objective' | 'latencyBudget' | 'optimize' | 'flashReserve'
>;

async function run(
  { documents, engine, jobs, log }: Pick<Services, 'documents' | 'engine' | 'jobs' | 'log'>,
  model: vscode.Uri,
  choices: QuantizeChoices,
  asked: Asked,
): Promise<QuantizeSummary> {
  const { sramBytes, flashBytes, ...settings } = quantizeSettings(model);
  const { board, limits, imagesPath, preprocess } = choices;
  const wanted: Asked = { ...definedOf(settings), ...definedOf(choices.asked ?? {}), ...definedOf(asked) };
  // The engine knows the figures of a board of the table itself.
  const own = board.id === OWN_BOARD_ID ? board : undefined;
  const summary = await jobs.run(model, quantizeAction(model, choices), (options) =>
    engine.run(
      (e) =>
        e.quantize({
          ...settings,
          ...wanted,
          early: true,
          modelPath: model.fsPath,
          planPath: planUriOf(model).fsPath,
          imagesPath,
          preprocess,
          targetId: board.id,
          core: own?.core,
          flashReserve: wanted.flashReserve ?? flashReserveSetting(model),
          optimize: wanted.optimize ?? optimizeSetting(model),
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

/** Without what is undefined, which would stand before what holds otherwise. */
function definedOf<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Partial<T>;
}

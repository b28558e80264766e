import * as vscode from 'vscode';
import { tickStep } from '../firstSteps';
import type { QuantizeSummary } from '../../engine/run/quantizeSummary';
import { checkFit } from '../fit';
import { showFailure } from '../log';
import { quantizeAction, runQuantize, type Asked } from '../runQuantize';
import type { Services } from '../services';
import { quantizeSettings } from '../settings';
import { type as askFor } from '../steps';
import { chooseModel, requireTrust } from './model';
import { askQuantizeChoices, rememberedChoices, type QuantizeChoices } from './quantizeChoices';

/**
 * Calibrates the model on sample images, searches for the plan, writes it next to the model and shows it.
 * @param given a board, for callers that know it
 */
export async function quantize(services: Services, argument: unknown, given?: unknown): Promise<void> {
  const title = vscode.l10n.t('Quantize Model');
  if (!requireTrust()) return;
  const model = await chooseModel(argument, title);
  if (!model) return;
  const { engine, memory } = services;
  const targets = await engine.ask((e) => e.targets());
  const { sizes } = quantizeSettings(model);
  const modelPath = model.fsPath;
  // Read while a board is chosen; what is wrong with it is said later.
  engine.ask((e) => e.readModel({ modelPath, sizes }), {}, 'plans').catch(() => undefined);
  const choices = await askQuantizeChoices(
    model,
    title,
    targets,
    memory,
    () => checkFit(engine, model),
    (imagesPath) => {
      // The engine of the job to come reads the model meanwhile.
      engine.prepare((e) => e.readModel({ modelPath, sizes }));
      return engine.ask((e) => e.findPreprocess({ modelPath, imagesPath, sizes }), {}, 'plans');
    },
    boardOf(given),
  );
  if (choices) await run(services, model, choices);
}

/** Quantizes again as last time, with more that may be lost. */
export async function largerBudget(services: Services, argument: unknown): Promise<void> {
  const title = vscode.l10n.t('Allow a Larger Loss');
  if (!requireTrust()) return;
  const model = await chooseModel(argument, title);
  if (!model) return;
  const choices = rememberedChoices(services.memory, model);
  if (!choices) return quantize(services, model);
  const { search } = (await services.documents.get(model).view()).plan ?? {};
  try {
    const budget = await askFor(
      { title, step: 1, totalSteps: 1 },
      vscode.l10n.t('How much may be lost, in points of top-1 (percent of the outputs’ power without classes)?'),
      String(2 * (search?.accuracyBudget ?? 1)),
      (text) => {
        const value = Number(text.trim().replace(',', '.'));
        return text.trim() !== '' && value >= 0 && value <= 100 ? value : undefined;
      },
      vscode.l10n.t('A number from 0 to 100'),
    );
    await run(services, model, choices, { accuracyBudget: budget });
  } catch (error) {
    if (!(error instanceof vscode.CancellationError)) throw error;
  }
}

async function run(services: Services, model: vscode.Uri, choices: QuantizeChoices, asked?: Asked): Promise<void> {
  const { editors, log } = services;
  // The graph and its figures change while the search runs.
  void editors.show(model);
  let summary: QuantizeSummary;
  try {
    summary = await runQuantize(services, model, choices, asked);
  } catch (error) {
    void showFailure(log, quantizeAction(model, choices), error);
    return;
  }
  tickStep('quantize');
  await editors.show(model);
  editors.showOutcome(model, summary);
}

/** A board that the caller has chosen already. */
function boardOf(given: unknown): { readonly id: string; readonly name: string } | undefined {
  const { id, name } = (given ?? {}) as { readonly id?: unknown; readonly name?: unknown };
  return typeof id === 'string' && typeof name === 'string' ? { id, name } : undefined;
}

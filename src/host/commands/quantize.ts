import * as vscode from 'vscode';
import { checkFit } from '../fit';
import { showFailure } from '../log';
import { describeSummary, quantizeAction, runQuantize } from '../runQuantize';
import type { Services } from '../services';
import { chooseModel, requireTrust } from './model';
import { askQuantizeChoices } from './quantizeChoices';

/**
 * Calibrates the model on sample images, searches the plan, writes it beside the model and shows it.
 * @param given a board, for callers that know it
 */
export async function quantize(services: Services, argument: unknown, given?: unknown): Promise<void> {
  const title = vscode.l10n.t('Quantize Model');
  if (!requireTrust()) return;
  const model = await chooseModel(argument, title);
  if (!model) return;
  const { editors, engine, log, memory } = services;
  const targets = await engine.ask((e) => e.targets());
  const choices = await askQuantizeChoices(model, title, targets, memory, () => checkFit(engine, model), boardOf(given));
  if (!choices) return;
  try {
    const summary = await runQuantize(services, model, choices);
    await editors.show(model);
    void offerNext(model, [describeSummary(model, summary), ...summary.notes].join(' '));
  } catch (error) {
    void showFailure(log, quantizeAction(model, choices), error);
  }
}

/** A board that whoever runs the command has chosen already. */
function boardOf(given: unknown): { readonly id: string; readonly name: string } | undefined {
  const { id, name } = (given ?? {}) as { readonly id?: unknown; readonly name?: unknown };
  return typeof id === 'string' && typeof name === 'string' ? { id, name } : undefined;
}

async function offerNext(model: vscode.Uri, message: string): Promise<void> {
  const generate = vscode.l10n.t('Generate Firmware Source…');
  const plan = vscode.l10n.t('Open Plan');
  const answer = await vscode.window.showInformationMessage(message, generate, plan);
  if (answer === generate) await vscode.commands.executeCommand('quantmcu.generate', model);
  if (answer === plan) await vscode.commands.executeCommand('quantmcu.openPlan', model);
}

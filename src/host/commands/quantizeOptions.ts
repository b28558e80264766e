import * as vscode from 'vscode';
import type { Asked } from '../runQuantize';
import { pick, runSteps, type as askFor, type Choice } from '../steps';

type Objective = NonNullable<Asked['objective']>;
type Optimize = NonNullable<Asked['optimize']>;

/** What a run is to aim at, each with a word for it. */
const objectives = (): readonly Choice<Objective>[] => [
  { value: 'latency', label: vscode.l10n.t('Time'), description: vscode.l10n.t('the fewest instructions on the core') },
  { value: 'bitops', label: 'BitOPs', description: vscode.l10n.t('the measure of the paper') },
  { value: 'sram', label: 'SRAM', description: vscode.l10n.t('the smallest arena') },
  { value: 'flash', label: 'Flash', description: vscode.l10n.t('the smallest weights') },
];

const levels = (): readonly Choice<Optimize>[] => [
  { value: 'balanced', label: vscode.l10n.t('Balanced'), description: vscode.l10n.t('flash where it saves time') },
  { value: 'speed', label: vscode.l10n.t('Speed'), description: vscode.l10n.t('all the flash available') },
  { value: 'size', label: vscode.l10n.t('Size'), description: vscode.l10n.t('kernels shared by all layers') },
];

/** A number from `low` to `high`, or null for an empty text: as the settings say. Undefined: neither. */
function parseLimit(text: string, low: number, high: number): number | null | undefined {
  const trimmed = text.trim().replace(',', '.');
  if (trimmed === '') return null;
  const value = Number(trimmed);
  return value >= low && value <= high ? value : undefined;
}

interface Row extends vscode.QuickPickItem {
  readonly change?: () => Promise<Asked>;
}

/**
 * Lets the user change what one run aims at, option by option, until they are done or leave.
 *
 * @param asked what comes before the settings so far
 * @param settings what holds where nothing was asked
 */
export async function askOptions(asked: Asked, settings: Asked): Promise<Asked> {
  const title = vscode.l10n.t('Options of This Run');
  let current = asked;
  for (;;) {
    const row = await vscode.window.showQuickPick(rows(title, current, settings), {
      title,
      placeHolder: vscode.l10n.t('They override the settings for this model.'),
      ignoreFocusOut: true,
    });
    if (!row?.change) return current;
    try {
      current = await row.change();
    } catch (error) {
      if (!(error instanceof vscode.CancellationError)) throw error;
    }
  }
}

function rows(title: string, asked: Asked, settings: Asked): Row[] {
  const now = { ...settings, ...asked };
  const labelOf = <T>(choices: readonly Choice<T>[], value: T): string =>
    (choices.find((choice) => choice.value === value) ?? choices[0]).label;
  const one = async <T>(question: string, choices: readonly Choice<T>[], value: T | undefined): Promise<T> => {
    let chosen = choices[0].value;
    const ask = async (): Promise<void> => {
      chosen = await pick(
        { title, step: 1, totalSteps: 1 },
        question,
        choices,
        choices.find((c) => c.value === value),
      );
    };
    if (!(await runSteps(title, [ask]))) throw new vscode.CancellationError();
    return chosen;
  };
  const number = (question: string, value: number | undefined, low: number, high: number): Promise<number | null> =>
    askFor(
      { title, step: 1, totalSteps: 1 },
      question,
      value === undefined ? '' : String(value),
      (text) => parseLimit(text, low, high),
      vscode.l10n.t('A number from {0} to {1}, or leave it empty', low, high),
    );
  const none = vscode.l10n.t('none');
  const objective = vscode.l10n.t('What to minimize');
  const time = vscode.l10n.t('Longest inference, ms');
  const loss = vscode.l10n.t('Largest accuracy loss, points');
  const made = vscode.l10n.t('What the C code is optimized for');
  const kept = vscode.l10n.t('Flash reserved for the application, percent');
  return [
    { label: `$(check) ${vscode.l10n.t('Done')}` },
    {
      label: objective,
      description:
        now.objective === undefined ? vscode.l10n.t('Time and BitOPs') : labelOf(objectives(), now.objective),
      change: async () => ({ ...asked, objective: await one(objective, objectives(), now.objective) }),
    },
    {
      label: time,
      description: now.latencyBudget === undefined ? none : String(now.latencyBudget),
      change: async () => ({
        ...asked,
        latencyBudget: (await number(time, now.latencyBudget, 0.001, 1e6)) ?? undefined,
      }),
    },
    {
      label: loss,
      description: now.accuracyBudget === undefined ? vscode.l10n.t('1 by default') : String(now.accuracyBudget),
      change: async () => ({ ...asked, accuracyBudget: (await number(loss, now.accuracyBudget, 0, 100)) ?? undefined }),
    },
    {
      label: made,
      description: labelOf(levels(), now.optimize ?? 'balanced'),
      change: async () => ({ ...asked, optimize: await one(made, levels(), now.optimize ?? 'balanced') }),
    },
    {
      label: kept,
      description: String(now.flashReserve ?? 25),
      change: async () => ({
        ...asked,
        flashReserve: (await number(kept, now.flashReserve ?? 25, 0, 99)) ?? undefined,
      }),
    },
  ];
}

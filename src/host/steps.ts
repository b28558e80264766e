import * as vscode from 'vscode';

/** A row that stands for a value. */
export interface Choice<T> extends vscode.QuickPickItem {
  readonly value: T;
}

/** What a step needs to show where it is in its sequence. */
export interface StepPlace {
  readonly title: string;
  readonly step: number;
  readonly totalSteps: number;
  /** Something beside the questions, behind a button of each. */
  readonly aside?: Aside;
}

/** Something that can be set beside the questions. */
export interface Aside {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/** Thrown by a step when the user goes back; caught by {@link runSteps}. */
class Back extends Error {}

/** Thrown by a step when the user wants what is beside the questions; caught by {@link runSteps}. */
class Detour extends Error {}

/** One question; asks nothing of what comes before or after it. */
export type Step = (place: StepPlace) => Promise<void>;

/**
 * Asks one question after the other, with a Back button from the second on.
 * @param steps what is asked, or gives it by the answers so far; an answer may only change the questions that come
 *   after it
 * @param aside what can be set beside them; the question that was left for it is asked again
 * @returns false when the user left (Escape)
 */
export async function runSteps(
  title: string,
  steps: readonly Step[] | (() => readonly Step[]),
  aside?: Aside,
): Promise<boolean> {
  const current = typeof steps === 'function' ? steps : () => steps;
  for (let index = 0; index < current().length;) {
    try {
      await current()[index]({ title, step: index + 1, totalSteps: current().length, aside });
      index++;
    } catch (error) {
      if (error instanceof Back) index--;
      else if (error instanceof Detour) await aside?.run();
      else if (error instanceof vscode.CancellationError) return false;
      else throw error;
    }
  }
  return true;
}

/** What is known of the rows of a question a while after it was asked. */
export interface Later<T> {
  readonly rows: readonly (Choice<T> | vscode.QuickPickItem)[];
  /** Index of the row to take by Enter. */
  readonly active?: number;
  /** Instead of the question. */
  readonly title?: string;
}

/**
 * Lets the user pick one row; `active` is the one that Enter takes.
 * @param later the same rows again with more said about them, as soon as that is known; left out when it fails
 * @throws {vscode.CancellationError} on Escape
 */
export function pick<T>(
  place: StepPlace,
  placeholder: string,
  items: readonly (Choice<T> | vscode.QuickPickItem)[],
  active?: Choice<T>,
  later?: Promise<Later<T>>,
): Promise<T> {
  return ask((resolve) => {
    const input = vscode.window.createQuickPick<Choice<T> | vscode.QuickPickItem>();
    input.items = items;
    input.placeholder = placeholder;
    input.matchOnDescription = true;
    input.matchOnDetail = true;
    if (active) input.activeItems = [active];
    if (later) {
      input.busy = true;
      void later
        .then(
          ({ rows, active: best, title }) => {
            const now = items.indexOf(input.activeItems[0]);
            // A selection that was moved already stays.
            const moved = active !== undefined && input.activeItems[0] !== active;
            const at = best === undefined || moved ? now : best;
            input.keepScrollPosition = true;
            input.items = rows;
            if (at >= 0) input.activeItems = [rows[at]];
            if (title !== undefined) input.placeholder = title;
          },
          () => undefined,
        )
        .then(() => (input.busy = false));
    }
    input.onDidAccept(() => {
      const chosen = input.selectedItems[0];
      if (chosen && 'value' in chosen) resolve(chosen.value);
    });
    return input;
  }, place);
}

/**
 * Lets the user type a value; `parse` gives undefined for what is none. @throws {vscode.CancellationError} on Escape
 */
export function type<T>(
  place: StepPlace,
  prompt: string,
  value: string,
  parse: (text: string) => T | undefined,
  problem: string,
): Promise<T> {
  return ask((resolve) => {
    const input = vscode.window.createInputBox();
    input.prompt = prompt;
    input.value = value;
    input.onDidChangeValue((text) => {
      input.validationMessage = parse(text) === undefined ? problem : undefined;
    });
    input.onDidAccept(() => {
      const parsed = parse(input.value);
      if (parsed === undefined) input.validationMessage = problem;
      else resolve(parsed);
    });
    return input;
  }, place);
}

async function ask<
  T,
  I extends vscode.QuickInput & {
    buttons: readonly vscode.QuickInputButton[];
    onDidTriggerButton: vscode.Event<vscode.QuickInputButton>;
  },
>(make: (resolve: (value: T) => void) => I, { title, step, totalSteps, aside }: StepPlace): Promise<T> {
  let input: I | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      input = make(resolve);
      input.title = title;
      // One question alone needs no count.
      input.step = totalSteps > 1 ? step : undefined;
      input.totalSteps = totalSteps > 1 ? totalSteps : undefined;
      input.ignoreFocusOut = true;
      const more = aside && { iconPath: new vscode.ThemeIcon('settings-gear'), tooltip: aside.title };
      input.buttons = [...(step > 1 ? [vscode.QuickInputButtons.Back] : []), ...(more ? [more] : [])];
      input.onDidTriggerButton((button) => {
        if (button === vscode.QuickInputButtons.Back) reject(new Back());
        else reject(new Detour());
      });
      input.onDidHide(() => reject(new vscode.CancellationError()));
      input.show();
    });
  } finally {
    input?.dispose();
  }
}

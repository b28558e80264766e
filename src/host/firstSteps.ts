import * as vscode from 'vscode';

/** The steps of the walkthrough, in package.json's words. */
export type FirstStep = 'sample' | 'quantize' | 'look' | 'generate' | 'run';

/** Ticks a step of the walkthrough: it is done, not only begun. */
export function tickStep(step: FirstStep): void {
  void vscode.commands.executeCommand('setContext', `quantmcu.done.${step}`, true);
}

import * as vscode from 'vscode';
import { RemoteFailure } from '../protocol/peer';

/** The extension's output channel; its level follows VS Code's log level. */
export function createLog(): vscode.LogOutputChannel {
  return vscode.window.createOutputChannel('QuantMCU', { log: true });
}

/** True when an error only says that the user cancelled. */
export function isCancellation(error: unknown): boolean {
  return (error instanceof RemoteFailure && error.kind === 'cancelled') || error instanceof vscode.CancellationError;
}

/** One line for the user. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Shows a failure: unchanged if it was written for the user, otherwise with a pointer to the log. Cancelling is not
 * a failure.
 * @param action what failed, e.g. `Quantize gauge.onnx`
 */
export async function showFailure(log: vscode.LogOutputChannel, action: string, error: unknown): Promise<void> {
  if (isCancellation(error)) {
    log.info(`${action}: cancelled`);
    return;
  }
  log.error(`${action}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  const forUser = error instanceof RemoteFailure && error.kind === 'user';
  const showLog = vscode.l10n.t('Show Log');
  const message = forUser ? messageOf(error) : vscode.l10n.t('{0} failed: {1}', action, messageOf(error));
  if ((await vscode.window.showErrorMessage(message, showLog)) === showLog) log.show();
}

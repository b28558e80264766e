import * as vscode from 'vscode';
import { KEEP, type CallOptions } from '../protocol/peer';
import type { ProgressEvent } from '../protocol/engine';
import { Disposable } from './dispose';

interface Job {
  readonly title: string;
  readonly abort: AbortController;
  progress: ProgressEvent | null;
}

/**
 * The long jobs under way, at most one for each model: shown as a notification with Cancel and, by the editors, in
 * their pages.
 */
export class Jobs extends Disposable {
  private readonly jobs = new Map<string, Job>();
  private readonly changed = this.own(new vscode.EventEmitter<vscode.Uri>());
  /** Fires with the model whose job started, moved on or ended. */
  readonly onDidChange = this.changed.event;

  /** Where the model's job is; null when there is none. */
  progressOf(model: vscode.Uri): ProgressEvent | null {
    return this.jobs.get(model.toString())?.progress ?? null;
  }

  get running(): { readonly model: vscode.Uri; readonly title: string }[] {
    return [...this.jobs].map(([key, job]) => ({ model: vscode.Uri.parse(key, true), title: job.title }));
  }

  cancel(model: vscode.Uri): void {
    this.jobs.get(model.toString())?.abort.abort();
  }

  /** Ends the model's job with what it has reached, where it has reached anything. */
  keep(model: vscode.Uri): void {
    this.jobs.get(model.toString())?.abort.abort(KEEP);
  }

  /**
   * Runs a job for a model with progress.
   * @throws {vscode.CancellationError} when the model already has a job
   */
  async run<T>(model: vscode.Uri, title: string, work: (options: CallOptions) => Promise<T>): Promise<T> {
    const key = model.toString();
    const other = this.jobs.get(key);
    if (other) {
      void this.offerToCancel(model, other.title);
      throw new vscode.CancellationError();
    }
    const job: Job = { title, abort: new AbortController(), progress: { stage: title, done: 0, total: 0 } };
    this.jobs.set(key, job);
    this.changed.fire(model);
    try {
      return await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title, cancellable: true },
        (notification, token) => {
          token.onCancellationRequested(() => job.abort.abort());
          return work({
            signal: job.abort.signal,
            onProgress: (progress) => {
              job.progress = progress;
              notification.report({ message: describe(progress) });
              this.changed.fire(model);
            },
          });
        },
      );
    } finally {
      this.jobs.delete(key);
      this.changed.fire(model);
    }
  }

  override dispose(): void {
    for (const job of this.jobs.values()) job.abort.abort();
    super.dispose();
  }

  private async offerToCancel(model: vscode.Uri, title: string): Promise<void> {
    const cancel = vscode.l10n.t('Cancel Run');
    const answer = await vscode.window.showWarningMessage(vscode.l10n.t('Still running: {0}', title), cancel);
    if (answer === cancel) this.cancel(model);
  }
}

function describe({ stage, done, total, overall }: ProgressEvent): string {
  if (!overall) return total > 0 ? `${stage} (${done}/${total})` : stage;
  const step = vscode.l10n.t('step {0} of {1}', overall.step, overall.steps);
  return [stage, step, ...(overall.msLeft === null ? [] : [timeLeft(overall.msLeft)])].join(' · ');
}

function timeLeft(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 1 ? vscode.l10n.t('less than a minute left') : vscode.l10n.t('about {0} min left', minutes);
}

/** Changes that a person makes to the plan from the page: one at a time, with what went wrong told in one line. */
import type { PlanChange } from '../src/protocol/changes';
import type { EditorHost } from '../src/protocol/editor';
import { t } from './l10n';

export class Edits {
  private last: Promise<unknown> = Promise.resolve();
  private listener: (failure: string | null) => void = () => undefined;

  constructor(private readonly host: EditorHost, private readonly announce: (line: string) => void) {}

  /** Told why a change was not possible; null once another one was made. */
  onFailure(listener: (failure: string | null) => void): void {
    this.listener = listener;
  }

  apply(change: PlanChange): void {
    this.run(async () => {
      await this.host.changePlan(change);
      this.announce(t('Plan changed.'));
    });
  }

  undo(): void {
    this.run(async () => this.announce((await this.host.undo()) ? t('Change undone.') : t('Nothing to undo.')));
  }

  redo(): void {
    this.run(async () => this.announce((await this.host.redo()) ? t('Change made again.') : t('Nothing to redo.')));
  }

  dismiss(): void {
    this.listener(null);
  }

  private run(work: () => Promise<void>): void {
    this.last = this.last.then(work).then(() => this.listener(null), (error: unknown) => this.listener(error instanceof Error ? error.message : String(error)));
  }
}

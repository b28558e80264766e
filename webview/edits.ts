/** Changes that a person makes to the plan from the page: one at a time, with a one-line message when something goes
 * wrong. */
import type { PlanChange } from '../src/engine/run/whatIf/changes';
import type { EditorHost } from '../src/protocol/editor';
import { bytesText, millisecondsText } from './format';
import { t } from './l10n';

/** A change that takes longer is announced as being worked on. */
const noticed = 250;

export class Edits {
  private last: Promise<unknown> = Promise.resolve();
  private failed: (failure: string | null) => void = () => undefined;
  private busy: (busy: boolean) => void = () => undefined;

  constructor(
    private readonly host: EditorHost,
    private readonly announce: (line: string) => void,
  ) {}

  /** Told why a change was not possible; null once another one was made. */
  onFailure(listener: (failure: string | null) => void): void {
    this.failed = listener;
  }

  /** Told when a change takes its time, and when it is done. */
  onBusy(listener: (busy: boolean) => void): void {
    this.busy = listener;
  }

  apply(change: PlanChange): void {
    this.run(async () => {
      await this.host.changePlan(change);
      this.announce(t('Plan changed.'));
    });
  }

  /** What a change would lead to, in a few words. */
  async figuresOf(change: PlanChange): Promise<string> {
    const figures = await this.host.previewChange(change);
    if (figures == null) return t('not possible');
    const { arenaBytes, latencyMs, target } = figures;
    const sram =
      arenaBytes > target.sramBytes ? t('needs {0}', bytesText(arenaBytes)) : t('{0} SRAM', bytesText(arenaBytes));
    return latencyMs === null ? sram : `${sram} · ${millisecondsText(latencyMs)}`;
  }

  undo(): void {
    this.run(async () => this.announce((await this.host.undo()) ? t('Change undone.') : t('Nothing to undo.')));
  }

  redo(): void {
    this.run(async () => this.announce((await this.host.redo()) ? t('Change redone.') : t('Nothing to redo.')));
  }

  /** Anything else that may change the plan, or fail like a change. */
  run(work: () => Promise<void>): void {
    this.last = this.last.then(async () => {
      const timer = window.setTimeout(() => this.busy(true), noticed);
      try {
        await work();
        this.failed(null);
      } catch (error) {
        this.failed(error instanceof Error ? error.message : String(error));
      } finally {
        window.clearTimeout(timer);
        this.busy(false);
      }
    });
  }

  dismiss(): void {
    this.failed(null);
  }
}

import type { Overall, Progress, TriedPlan } from '../common/progress';

/** Before this share of a run is done, the remaining time cannot be estimated. */
const LEAST_SHARE = 0.04;

/**
 * Progress of a run of several phases as a whole: which step of how many, and about how long until the end, by the time
 * that the phases so far took. A later stage of a phase never reduces the share.
 */
export class PhasedProgress implements Progress {
  private phase = 0;
  private from = 0;
  private to: number;
  private share = 0;
  private plans: readonly TriedPlan[] = [];
  private readonly begin: number;

  constructor(
    private readonly target: Progress,
    /** How much time each phase takes, relative to the others. */
    private readonly weights: readonly number[],
    private readonly now: () => number = () => performance.now(),
  ) {
    this.begin = now();
    this.to = this.end(0);
  }

  /** Begins a phase, or the `part`th of `parts` equal parts of it. */
  enter(phase: number, part = 0, parts = 1): void {
    this.phase = phase;
    const start = phase === 0 ? 0 : this.end(phase - 1);
    const length = this.end(phase) - start;
    this.from = start + (length * part) / parts;
    this.to = start + (length * (part + 1)) / parts;
    this.share = Math.max(this.share, this.from);
  }

  /** Notes a plan that was tried; reported with the next report. */
  tried(plan: TriedPlan): void {
    this.plans = [...this.plans, plan];
  }

  report(stage: string, done: number, total: number): void {
    if (total > 0) {
      // What is left of a phase after a stage that has ended may be another stage: it does not count to the full.
      const reached = this.from + (this.to - this.from) * 0.9 * Math.min(1, done / total);
      this.share = Math.max(this.share, reached);
    }
    this.target.report(stage, done, total, this.overall());
  }

  isCancelled(): boolean {
    return this.target.isCancelled();
  }

  isKept(): boolean {
    return this.target.isKept?.() ?? false;
  }

  private overall(): Overall {
    const spent = this.now() - this.begin;
    return {
      step: this.phase + 1,
      steps: this.weights.length,
      share: this.share,
      msLeft: this.share < LEAST_SHARE ? null : (spent * (1 - this.share)) / this.share,
      ...(this.plans.length > 0 ? { tried: this.plans } : {}),
    };
  }

  private end(phase: number): number {
    const sum = (weights: readonly number[]): number => weights.reduce((a, b) => a + b, 0);
    return sum(this.weights.slice(0, phase + 1)) / sum(this.weights);
  }
}

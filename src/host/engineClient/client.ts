import type { CallOptions } from '../../protocol/peer';
import type { EngineService } from '../../protocol/engine';
import { EngineConnection } from './connection';
import type { StartTransport } from './transport';

/**
 * How long the engines that answer questions are kept without any: a person who looks at a plan thinks for minutes, and
 * a restart reads the model again.
 */
const IDLE_MS = 300_000;

export interface EngineLog {
  info(message: string): void;
  error(message: string): void;
}

/** Questions wait for those of their own lane only: the effect of a change is reported while a view is still being
 * computed. */
export type Lane = 'views' | 'changes' | 'plans';

/**
 * The extension's way to the engine. Quick questions of all editors (`ask`) share one engine per lane, which stops when
 * idle; each long job (`run`) gets its own engine, so that no model waits for another one's quantization, that
 * cancelling or crashing touches nothing else, and that its memory is given back.
 */
export class EngineClient {
  private readonly shared = new Map<Lane, EngineConnection>();
  private readonly jobs = new Set<EngineConnection>();
  /** Of the job that is expected next, see {@link prepare}. */
  private spare: EngineConnection | undefined;
  private idle: NodeJS.Timeout | undefined;
  private disposed = false;

  constructor(
    private readonly start: StartTransport,
    private readonly log: EngineLog,
    private readonly idleMs = IDLE_MS,
  ) {}

  /** Asks something that is answered at once. */
  async ask<T>(
    use: (engine: EngineService) => Promise<T>,
    options: CallOptions = {},
    lane: Lane = 'views',
  ): Promise<T> {
    let connection = this.shared.get(lane);
    if (!connection?.isAlive) {
      connection = this.connect(lane === 'views' ? 'shared' : lane);
      this.shared.set(lane, connection);
    }
    clearTimeout(this.idle);
    try {
      return await connection.call(use, options);
    } finally {
      this.stopWhenIdle();
    }
  }

  /** Starts the engine of the next job ahead of it, and lets it get ready; a failure is the job's to tell. */
  prepare(use: (engine: EngineService) => Promise<unknown>): void {
    if (!this.spare?.isAlive) this.spare = this.connect('job');
    this.spare
      .call(use)
      .catch(() => undefined)
      .finally(() => this.stopWhenIdle());
  }

  /** Runs a job in an engine of its own. */
  async run<T>(use: (engine: EngineService) => Promise<T>, options: CallOptions = {}): Promise<T> {
    const connection = this.spare?.isAlive ? this.spare : this.connect('job');
    this.spare = undefined;
    this.jobs.add(connection);
    try {
      return await connection.call(use, options);
    } finally {
      this.jobs.delete(connection);
      connection.terminate();
    }
  }

  /** Stops all engines; the next call starts new ones. */
  stop(): void {
    clearTimeout(this.idle);
    this.stopShared();
    for (const job of this.jobs) job.terminate();
  }

  dispose(): void {
    this.disposed = true;
    this.stop();
  }

  private connect(purpose: string): EngineConnection {
    if (this.disposed) throw new Error('The extension is being shut down.');
    this.log.info(`Starting an engine (${purpose})`);
    return new EngineConnection(this.start, (reason) =>
      this.log.error(`The engine (${purpose}) crashed: ${reason.stack ?? reason.message}`),
    );
  }

  private stopWhenIdle(): void {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => {
      if (![...this.shared.values(), this.spare].some((engine) => engine?.isBusy)) this.stopShared();
    }, this.idleMs);
    this.idle.unref();
  }

  private stopShared(): void {
    for (const connection of this.shared.values()) connection.terminate();
    this.shared.clear();
    this.spare?.terminate();
    this.spare = undefined;
  }
}

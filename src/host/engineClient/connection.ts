import { KEEP, RemoteFailure, RpcPeer, type CallOptions } from '../../protocol/peer';
import type { EngineService } from '../../protocol/engine';
import type { EngineTransport, StartTransport } from './transport';

/** How long an engine may take to answer a cancel before it is ended. */
const CANCEL_GRACE_MS = 800;

/**
 * One running engine: started when made, dead after {@link terminate} or a crash. Calls under way when it dies reject,
 * with a cancellation if the user had asked for the end.
 */
export class EngineConnection {
  private readonly transport: EngineTransport;
  private readonly peer: RpcPeer;
  private dead = false;
  private endedBecause: Error | undefined;

  constructor(
    start: StartTransport,
    private readonly onCrash: (reason: Error) => void,
    private readonly cancelGraceMs = CANCEL_GRACE_MS,
  ) {
    this.peer = new RpcPeer((message) => this.transport.post(message));
    this.transport = start({
      onMessage: (message) => this.peer.receive(message),
      onExit: (reason) => this.exited(reason),
    });
  }

  get isAlive(): boolean {
    return !this.dead;
  }

  get isBusy(): boolean {
    return this.peer.pendingCalls > 0;
  }

  /** Calls the engine. An abort that it does not answer in time ends the engine, and with it its other calls. */
  async call<T>(use: (engine: EngineService) => Promise<T>, options: CallOptions = {}): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const onAbort = () => {
      // Writing what was reached takes its time.
      if (options.signal?.reason === KEEP) return;
      timer = setTimeout(
        () => this.terminate(new RemoteFailure({ kind: 'cancelled', message: 'Cancelled.' })),
        this.cancelGraceMs,
      );
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await use(this.peer.client<EngineService>(options));
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Ends the engine; calls under way reject with `reason`. */
  terminate(reason: Error = new RemoteFailure({ kind: 'cancelled', message: 'The engine was stopped.' })): void {
    if (this.dead) return;
    this.dead = true;
    this.endedBecause = reason;
    this.transport.terminate();
    this.peer.close(reason);
  }

  private exited(reason: Error): void {
    if (this.endedBecause) return;
    this.dead = true;
    const crash = new RemoteFailure({
      kind: 'internal',
      message: `The engine stopped unexpectedly (${reason.message}). The next run starts a new one.`,
      stack: reason.stack,
    });
    this.endedBecause = crash;
    this.onCrash(reason);
    this.peer.close(crash);
  }
}

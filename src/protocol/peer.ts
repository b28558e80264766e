import type { ProgressEvent, RemoteError } from './engine';
import type { RpcMessage } from './rpc';

/** Reason of an abort that keeps what was reached so far: the call then gives it, where there is such a thing. */
export const KEEP = 'keep';

/** What a caller may give along with a call. */
export interface CallOptions {
  readonly onProgress?: (progress: ProgressEvent) => void;
  /**
   * Aborting asks the server to stop; the call then rejects with a failure of kind `cancelled` once the server has
   * answered.
   */
  readonly signal?: AbortSignal;
}

/** What an implementation knows of the call that it serves; has the shape of the engine's `Progress`. */
export interface CallContext {
  report(stage: string, done: number, total: number, overall?: ProgressEvent['overall']): void;
  isCancelled(): boolean;
  isKept(): boolean;
}

/** An error that crossed the border: what a call rejects with. */
export class RemoteFailure extends Error {
  readonly kind: RemoteError['kind'];

  constructor(error: RemoteError) {
    super(error.message);
    this.name = 'RemoteFailure';
    this.kind = error.kind;
    if (error.stack !== undefined) this.stack = error.stack;
  }
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  readonly onProgress?: (progress: ProgressEvent) => void;
}

/**
 * One end of a channel: calls the methods of the other end and serves calls of its own. It knows nothing of the
 * transport: `post` sends a message, `receive` is called with those that arrive.
 */
export class RpcPeer {
  private lastId = 0;
  private readonly pending = new Map<number, Pending>();
  private readonly running = new Map<number, { cancelled: boolean; kept: boolean }>();
  private implementation: ((call: CallContext) => object) | undefined;
  private closed: Error | undefined;

  constructor(private readonly post: (message: RpcMessage) => void) {}

  /** Number of calls that the other end has not answered yet. */
  get pendingCalls(): number {
    return this.pending.size;
  }

  /** Serves calls with the methods of the object that `implementation` makes for each call. */
  serve(implementation: (call: CallContext) => object): void {
    this.implementation = implementation;
  }

  /**
   * The other end's methods. Each call rejects with a {@link RemoteFailure}, or with the error given to {@link close}.
   */
  client<T extends object>(options: CallOptions = {}): T {
    return new Proxy({} as T, {
      // `then` is asked for when the client itself is awaited or returned by an async function.
      get: (_target, method) =>
        typeof method === 'symbol' || method === 'then'
          ? undefined
          : (...args: unknown[]) => this.call(method, args, options),
    });
  }

  /** Rejects all calls under way and to come, e.g. because the other end has died. */
  close(error: Error): void {
    this.closed = error;
    const pending = [...this.pending.values()];
    this.pending.clear();
    for (const call of pending) call.reject(error);
  }

  receive(message: RpcMessage): void {
    switch (message.type) {
      case 'call':
        void this.answer(message.id, message.method, message.args);
        break;
      case 'cancel': {
        const call = this.running.get(message.id);
        if (call) {
          call.cancelled = true;
          call.kept = message.keep === true;
        }
        break;
      }
      case 'result':
        this.settle(message.id)?.resolve(message.value);
        break;
      case 'error':
        this.settle(message.id)?.reject(new RemoteFailure(message.error));
        break;
      case 'progress':
        this.pending.get(message.id)?.onProgress?.(message.progress);
        break;
    }
  }

  private settle(id: number): Pending | undefined {
    const call = this.pending.get(id);
    this.pending.delete(id);
    return call;
  }

  private call(method: string, args: readonly unknown[], { onProgress, signal }: CallOptions): Promise<unknown> {
    if (this.closed) return Promise.reject(this.closed);
    if (signal?.aborted) return Promise.reject(new RemoteFailure({ kind: 'cancelled', message: 'Cancelled.' }));
    const id = ++this.lastId;
    const cancel = () => this.post({ type: 'cancel', id, ...(signal?.reason === KEEP ? { keep: true } : {}) });
    const result = new Promise<unknown>((resolve, reject) => {
      this.pending.set(id, { resolve, reject, onProgress });
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        this.post({ type: 'call', id, method, args });
      } catch (error) {
        // Arguments that cannot be cloned.
        this.pending.delete(id);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    return result.finally(() => signal?.removeEventListener('abort', cancel));
  }

  private async answer(id: number, method: string, args: readonly unknown[]): Promise<void> {
    const state = { cancelled: false, kept: false };
    this.running.set(id, state);
    try {
      const service = this.implementation?.({
        report: (stage, done, total, overall) =>
          this.post({ type: 'progress', id, progress: { stage, done, total, ...(overall ? { overall } : {}) } }),
        isCancelled: () => state.cancelled,
        isKept: () => state.kept,
      }) as Record<string, unknown> | undefined;
      const implementation = service && !(method in Object.prototype) ? service[method] : undefined;
      if (typeof implementation !== 'function') throw new Error(`There is no handler for '${method}'.`);
      const value = await (implementation as (...a: readonly unknown[]) => unknown).apply(service, [...args]);
      this.post({ type: 'result', id, value });
    } catch (error) {
      this.post({ type: 'error', id, error: toRemoteError(error) });
    } finally {
      this.running.delete(id);
    }
  }
}

/** An error as it crosses the border. The engine's error classes are recognized by name: no class survives cloning. */
function toRemoteError(error: unknown): RemoteError {
  if (!(error instanceof Error)) return { kind: 'internal', message: String(error) };
  if (error instanceof RemoteFailure) return { kind: error.kind, message: error.message, stack: error.stack };
  const kind = error.name === 'UserError' ? 'user' : error.name === 'CancelledError' ? 'cancelled' : 'internal';
  return { kind, message: error.message, stack: error.stack };
}

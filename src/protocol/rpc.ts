/**
 * Typed remote procedure calls over any message channel: worker port, webview, child process. `T` is an interface of
 * async methods; the server implements it, `Client<T>` has the same methods. Exceptions reach the caller.
 */
import type { ProgressEvent, RemoteError } from './engine';

export type RpcMessage =
  | { readonly type: 'call'; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: RemoteError }
  | { readonly type: 'progress'; readonly id: number; readonly progress: ProgressEvent }
  /** `keep`: what was reached so far is wanted. */
  | { readonly type: 'cancel'; readonly id: number; readonly keep?: boolean };

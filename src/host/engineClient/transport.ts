import { Worker } from 'node:worker_threads';
import type { RpcMessage } from '../../protocol/rpc';

/**
 * A running engine as seen through its channel. What is behind it, a thread or a process, is the implementation's
 * business.
 */
export interface EngineTransport {
  post(message: RpcMessage): void;
  /** Ends the engine at once, whatever it is doing. */
  terminate(): void;
}

export interface TransportEvents {
  onMessage(message: RpcMessage): void;
  /** The engine ended; called once, after {@link EngineTransport.terminate} too. */
  onExit(reason: Error): void;
}

export type StartTransport = (events: TransportEvents) => EngineTransport;

/**
 * Runs the engine in a worker thread.
 * @param script absolute path of the bundled worker
 * @param isTrusted whether what the workspace says may be believed, when a thread starts
 */
export function workerThread(script: string, isTrusted: () => boolean = () => true): StartTransport {
  return (events) => {
    const worker = new Worker(script, {
      name: 'quantmcu-engine',
      stdout: false,
      stderr: false,
      workerData: { trusted: isTrusted() },
    });
    let reason: Error | undefined;
    worker.on('message', (message: RpcMessage) => events.onMessage(message));
    worker.on('error', (error) => {
      reason = error;
    });
    worker.on('exit', (code) => events.onExit(reason ?? new Error(`its thread ended with code ${code}`)));
    // The extension host must be able to end while a thread is idle.
    worker.unref();
    return {
      post: (message) => worker.postMessage(message),
      terminate: () => void worker.terminate(),
    };
  };
}

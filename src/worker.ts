/** Entry of the worker thread: serves {@link EngineService} on the port to the extension host. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { restrictModels } from './engine/plan/files';
import { RpcPeer } from './protocol/peer';
import type { RpcMessage } from './protocol/rpc';
import { ModelStore } from './worker/models';
import { createService } from './worker/service';
import { throttled } from './worker/throttle';

if (!parentPort) throw new Error('This file runs as a worker thread.');
if ((workerData as { trusted: boolean }).trusted !== true) restrictModels();
const port = parentPort;
const peer = new RpcPeer((message) => port.postMessage(message));

/**
 * A long computation does not return to the event loop, so a cancel would wait in the queue until it ends.
 * `isCancelled()` drains the queue first; calls found there wait their turn.
 */
function poll(): void {
  for (let found = receiveMessageOnPort(port); found; found = receiveMessageOnPort(port)) {
    const message = found.message as RpcMessage;
    if (message.type === 'call') setImmediate(() => peer.receive(message));
    else peer.receive(message);
  }
}

port.on('message', (message: RpcMessage) => peer.receive(message));
const models = new ModelStore();
peer.serve((call) => createService(throttled(call, poll), models));

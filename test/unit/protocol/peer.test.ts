import { strict as assert } from 'node:assert';
import { CancelledError, UserError } from '../../../src/engine/common/errors';
import { RemoteFailure, RpcPeer, type CallContext } from '../../../src/protocol/peer';
import type { ProgressEvent } from '../../../src/protocol/engine';

interface Service {
  add(a: number, b: number): Promise<number>;
  fail(kind: string): Promise<void>;
  wait(): Promise<string>;
  uncloneable(): Promise<unknown>;
}

/** Two peers joined by a channel that clones and delivers later, as real ones do. */
function pair(serve: (call: CallContext) => Partial<Service>): { client: RpcPeer; server: RpcPeer } {
  const client: RpcPeer = new RpcPeer((message) => {
    const copy = structuredClone(message);
    setImmediate(() => server.receive(copy));
  });
  const server: RpcPeer = new RpcPeer((message) => {
    const copy = structuredClone(message);
    setImmediate(() => client.receive(copy));
  });
  server.serve(serve);
  return { client, server };
}

const failure = (kind: string, message: RegExp) => (error: unknown) =>
  error instanceof RemoteFailure && error.kind === kind && message.test(error.message);

describe('RpcPeer', () => {
  it('brings arguments there and results back, also of calls beside each other', async () => {
    const { client } = pair(() => ({ add: async (a, b) => a + b }));
    const service = client.client<Service>();
    assert.deepEqual(await Promise.all([service.add(1, 2), service.add(3, 4)]), [3, 7]);
    assert.equal(client.pendingCalls, 0);
  });

  it('brings exceptions to the caller with their kind', async () => {
    const { client } = pair(() => ({
      fail: async (kind) => {
        throw kind === 'user'
          ? new UserError('a.onnx is empty.')
          : kind === 'cancelled'
            ? new CancelledError()
            : new TypeError('boom');
      },
    }));
    const service = client.client<Service>();
    await assert.rejects(service.fail('user'), failure('user', /^a\.onnx is empty\.$/));
    await assert.rejects(service.fail('cancelled'), failure('cancelled', /./));
    await assert.rejects(service.fail('bug'), failure('internal', /^boom$/));
  });

  it('rejects a method that is not served, and those that every object has', async () => {
    const { client } = pair(() => ({}));
    const service = client.client<Service & { toLocaleString(name: string): Promise<boolean> }>();
    await assert.rejects(service.add(1, 2), failure('internal', /add/));
    await assert.rejects(service.toLocaleString('add'), failure('internal', /toLocaleString/));
  });

  it('delivers progress to the call that it belongs to', async () => {
    const { client } = pair((call) => ({
      add: async (a, b) => {
        call.report('adding', a, b);
        return a + b;
      },
    }));
    const seen: ProgressEvent[] = [];
    await Promise.all([
      client.client<Service>({ onProgress: (p) => seen.push(p) }).add(1, 2),
      client.client<Service>().add(5, 6),
    ]);
    assert.deepEqual(seen, [{ stage: 'adding', done: 1, total: 2 }]);
  });

  it('tells the server when the caller aborts, and only the call meant', async () => {
    const { client } = pair((call) => ({
      wait: async () => {
        for (let turn = 0; turn < 50; turn++) {
          if (call.isCancelled()) throw new CancelledError();
          await new Promise((resolve) => setImmediate(resolve));
        }
        return 'finished';
      },
    }));
    const abort = new AbortController();
    const cancelled = client.client<Service>({ signal: abort.signal }).wait();
    const other = client.client<Service>().wait();
    abort.abort();
    await assert.rejects(cancelled, failure('cancelled', /./));
    assert.equal(await other, 'finished');
    await assert.rejects(client.client<Service>({ signal: abort.signal }).wait(), failure('cancelled', /./));
  });

  it('reports a result that cannot cross the border', async () => {
    const { client } = pair(() => ({ uncloneable: async () => () => 1 }));
    await assert.rejects(client.client<Service>().uncloneable(), failure('internal', /clone/));
  });

  it('rejects calls under way and later ones when closed', async () => {
    const { client } = pair(() => ({ wait: () => new Promise<string>(() => undefined) }));
    const under = client.client<Service>().wait();
    client.close(new Error('the worker died'));
    await assert.rejects(under, /the worker died/);
    await assert.rejects(client.client<Service>().wait(), /the worker died/);
  });

  it('can be returned by an async function', async () => {
    const { client } = pair(() => ({ add: async (a, b) => a + b }));
    const service = await (async () => client.client<Service>())();
    assert.equal(await service.add(2, 2), 4);
  });
});

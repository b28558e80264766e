import { strict as assert } from 'node:assert';
import * as path from 'node:path';
import type { EngineService } from '../../../src/protocol/engine';
import { RemoteFailure } from '../../../src/protocol/peer';
import { EngineClient } from '../../../src/host/engineClient/client';
import { EngineConnection } from '../../../src/host/engineClient/connection';
import { workerThread, type StartTransport } from '../../../src/host/engineClient/transport';
import { projectRoot } from '../../support/paths';

/** A worker that behaves as its calls ask: see the fixture. */
const script = path.join(projectRoot, 'test/unit/host/fixtures/scriptedWorker.cjs');

interface Scripted {
  echo(value: unknown): Promise<unknown>;
  threadId(): Promise<number>;
  crash(): Promise<never>;
  exit(code: number): Promise<never>;
  /** Answers a cancel politely. */
  polite(): Promise<never>;
  /** Never returns to its event loop. */
  spin(): Promise<never>;
}

const scripted = (engine: EngineService): Scripted => engine as unknown as Scripted;
const failed =
  (kind: string, message = /./) =>
  (error: unknown) =>
    error instanceof RemoteFailure && error.kind === kind && message.test(error.message);

function countingStart(): { start: StartTransport; started: () => number } {
  let count = 0;
  const start = workerThread(script);
  return {
    start: (events) => {
      count++;
      return start(events);
    },
    started: () => count,
  };
}

describe('EngineClient', () => {
  let client: EngineClient;
  let counting: ReturnType<typeof countingStart>;
  const errors: string[] = [];
  beforeEach(() => {
    errors.length = 0;
    counting = countingStart();
    client = new EngineClient(counting.start, { info: () => undefined, error: (message) => errors.push(message) });
  });
  afterEach(() => client.dispose());

  it('starts nothing before the first call, and answers questions from one engine', async () => {
    assert.equal(counting.started(), 0);
    const [a, b] = await Promise.all([
      client.ask((e) => scripted(e).threadId()),
      client.ask((e) => scripted(e).threadId()),
    ]);
    assert.equal(a, b);
    assert.equal(counting.started(), 1);
  });

  it('gives each job an engine of its own', async () => {
    const ids = await Promise.all([
      client.ask((e) => scripted(e).threadId()),
      client.run((e) => scripted(e).threadId()),
      client.run((e) => scripted(e).threadId()),
    ]);
    assert.equal(new Set(ids).size, 3);
  });

  it('has the engine of a job ready where one is expected, and starts others for those beside it', async () => {
    let ready!: Promise<number>;
    client.prepare((e) => (ready = scripted(e).threadId()));
    const [first, second] = await Promise.all([
      client.run((e) => scripted(e).threadId()),
      client.run((e) => scripted(e).threadId()),
    ]);
    assert.equal(first, await ready);
    assert.notEqual(second, first);
    assert.equal(counting.started(), 2);
    client.prepare((e) => scripted(e).crash());
    while (errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(await client.run((e) => scripted(e).echo('works')), 'works');
    assert.equal(counting.started(), 4);
  });

  it('reports a crash and works again afterwards', async () => {
    await assert.rejects(
      client.ask((e) => scripted(e).crash()),
      failed('internal', /stopped unexpectedly.*deliberate crash/),
    );
    assert.match(errors[0] ?? '', /deliberate crash/);
    assert.equal(await client.ask((e) => scripted(e).echo('back')), 'back');
    await assert.rejects(
      client.run((e) => scripted(e).exit(3)),
      failed('internal', /code 3/),
    );
    assert.equal(await client.run((e) => scripted(e).echo('again')), 'again');
  });

  it('cancels a job that listens, without ending the engine first', async () => {
    const abort = new AbortController();
    const job = client.run((e) => scripted(e).polite(), { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await assert.rejects(job, failed('cancelled', /politely/));
  });

  it('ends an engine that does not answer a cancel, and only that one', async () => {
    const abort = new AbortController();
    const other = await client.ask((e) => scripted(e).threadId());
    const job = client.run((e) => scripted(e).spin(), { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await assert.rejects(job, failed('cancelled'));
    assert.equal(await client.ask((e) => scripted(e).threadId()), other);
    assert.deepEqual(errors, []);
  });

  it('starts anew after stop, which cancels what is under way', async () => {
    const job = client.run((e) => scripted(e).spin());
    setTimeout(() => client.stop(), 20);
    await assert.rejects(job, failed('cancelled'));
    assert.equal(await client.ask((e) => scripted(e).echo(1)), 1);
  });

  it('lets the shared engine go when idle', async () => {
    const quick = new EngineClient(counting.start, { info: () => undefined, error: () => undefined }, 1);
    const first = await quick.ask((e) => scripted(e).threadId());
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.notEqual(await quick.ask((e) => scripted(e).threadId()), first);
    quick.dispose();
  });
});

describe('EngineConnection', () => {
  it('reports a script that cannot be loaded', async () => {
    let crash: Error | undefined;
    const connection = new EngineConnection(workerThread(path.join(projectRoot, 'no-such-worker.js')), (reason) => {
      crash = reason;
    });
    await assert.rejects(
      connection.call((e) => scripted(e).echo(1)),
      failed('internal', /no-such-worker/),
    );
    assert.match(crash?.message ?? '', /no-such-worker/);
    assert.equal(connection.isAlive, false);
  });
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { build } from 'esbuild';
import { RuntimeSession } from '../../../src/engine/calibration/runtime';
import { FloatSession } from '../../../src/engine/calibration/session';
import { CancelledError, UserError } from '../../../src/engine/common/errors';
import { endRest, giveBack, prepareProcess, takeProcess } from '../../../src/engine/inference/pool';
import { InferenceFailure, InferenceProcess, ProcessEnded } from '../../../src/engine/inference/process';
import { importModel } from '../../../src/engine/onnx';
import { ModelFolder, OnnxBuilder } from '../../support/onnxBuilder';
import { projectRoot } from '../../support/paths';

/** y = relu(2·x) over 1×1×2×2. */
function doubling(): OnnxBuilder {
  const m = new OnnxBuilder();
  const conv = m.node('Conv', [m.input('x', [1, 1, 2, 2]), m.floats([1, 1, 1, 1], [2])], { kernel_shape: [1, 1] });
  m.output(m.node('Relu', [conv]));
  return m;
}

const INPUT = Float32Array.of(1, -1, 3, 4);
const DOUBLED = [2, 0, 6, 8];

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  for (let i = 0; i < 200 && alive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 25));
  assert.ok(!alive(pid), 'the process has ended');
}

describe('process of onnxruntime', () => {
  let folder: ModelFolder;
  let scripts: string;
  beforeEach(() => {
    folder = new ModelFolder();
    scripts = mkdtempSync(path.join(tmpdir(), 'quantmcu-process-'));
  });
  afterEach(() => {
    folder.remove();
    rmSync(scripts, { recursive: true });
  });

  const script = (text: string): string => {
    const file = path.join(scripts, 'entry.js');
    writeFileSync(file, text);
    return file;
  };
  const open = async (file: string, notes: string[] = []): Promise<RuntimeSession> =>
    RuntimeSession.open(file, await importModel(file), { values: [], observed: [] }, { notes });
  const doubled = async (session: RuntimeSession): Promise<void> =>
    assert.deepEqual([...[...(await session.run([INPUT])).values()][0]], DOUBLED);
  const pidOf = (session: RuntimeSession): number => session['process'].pid!;

  it('is started again when it is killed, once, and says so', async () => {
    const notes: string[] = [];
    const session = await open(folder.write(doubling()), notes);
    await doubled(session);
    process.kill(pidOf(session), 'SIGSEGV');
    await doubled(session);
    assert.equal(notes.length, 1);
    assert.match(notes[0], /crashed while running model\.onnx \(SIGSEGV\); it was restarted/);
    process.kill(pidOf(session), 'SIGABRT');
    await assert.rejects(
      session.run([INPUT]),
      (e) => e instanceof UserError && /crashed again.*SIGABRT/.test(e.message),
    );
    await session.dispose();
  });

  it('is used again by the next session, with another model', async () => {
    const first = await open(folder.write(doubling()));
    const pid = pidOf(first);
    await doubled(first);
    await first.dispose();
    assert.ok(alive(pid));
    const m = new OnnxBuilder();
    m.output(m.node('Relu', [m.input('x', [1, 1, 1, 3])]));
    const second = await open(folder.write(m, 'other.onnx'));
    assert.equal(pidOf(second), pid);
    assert.deepEqual([...[...(await second.run([Float32Array.of(-1, 0, 5)])).values()][0]], [0, 0, 5]);
    await second.dispose();
  });

  it('is not shared by two sessions, and one of them rests afterwards', async () => {
    const file = folder.write(doubling());
    const sessions = [await open(file), await open(file)];
    const [kept, other] = sessions.map(pidOf);
    assert.notEqual(kept, other);
    await Promise.all(sessions.map(doubled));
    for (const session of sessions) await session.dispose();
    await gone(other);
    assert.ok(alive(kept));
  });

  it('is not used again after it was killed as it rested', async () => {
    const file = folder.write(doubling());
    const before = await open(file);
    await before.dispose();
    process.kill(pidOf(before), 'SIGKILL');
    const notes: string[] = [];
    const after = await open(file, notes);
    assert.notEqual(pidOf(after), pidOf(before));
    await doubled(after);
    assert.deepEqual(notes, []);
    await after.dispose();
  });

  it('is not used again when it was at work as its session ended', async () => {
    const session = await open(folder.write(doubling()));
    const pid = pidOf(session);
    const end = await session.begin([INPUT]);
    const ended = assert.rejects(end(), /was stopped/);
    await session.dispose();
    await ended;
    await gone(pid);
  });

  it('started ahead serves the first session', async () => {
    const earlier = takeProcess();
    prepareProcess();
    const { process: ahead, rested } = takeProcess();
    assert.ok(rested && ahead !== earlier.process);
    await giveBack(ahead);
    prepareProcess();
    const session = await open(folder.write(doubling()));
    assert.equal(pidOf(session), ahead.pid);
    await doubled(session);
    await session.dispose();
    earlier.process.dispose();
  });

  it('ends when it has rested for a while', async () => {
    const taken = await open(folder.write(doubling()));
    prepareProcess(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    // Nothing rests any more, so this one does.
    await taken.dispose();
    const again = await open(folder.write(doubling()));
    assert.equal(pidOf(again), pidOf(taken));
    await again.dispose();
  });

  it('ends at once where no model is to follow', async () => {
    const session = await open(folder.write(doubling()));
    await session.dispose();
    endRest();
    await gone(pidOf(session));
  });

  it('lets the process that used it end at once, and ends with it', async () => {
    const entry = path.join(scripts, 'user.cjs');
    await build({
      stdin: {
        contents: `
          import { endRest, giveBack, takeProcess } from './src/engine/inference/pool';
          const { process: taken } = takeProcess();
          taken.request({ kind: 'close' }, []).then(() => giveBack(taken)).then(() => console.log(taken.pid));`,
        resolveDir: projectRoot,
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      outfile: entry,
    });
    writeFileSync(
      path.join(scripts, 'inference.js'),
      `require(${JSON.stringify(path.join(__dirname, 'inference.js'))})`,
    );
    const { stdout, status } = spawnSync(process.execPath, [entry], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(status, 0);
    await gone(Number(stdout));
  });

  it('ends when whoever asked it has gone', async () => {
    const session = await open(folder.write(doubling()));
    const pid = pidOf(session);
    // What the system does to a process that ends.
    session['process']['child'].stdio[3]!.destroy();
    await gone(pid);
  });

  it('ends with a cancel, whatever it does', async () => {
    const process = new InferenceProcess(script('for (;;);'));
    let cancelled = false;
    setTimeout(() => (cancelled = true), 100);
    const pid = process.pid!;
    await assert.rejects(
      process.request({ kind: 'run' }, [], { isCancelled: () => cancelled }),
      (e) => e instanceof CancelledError,
    );
    await gone(pid);
  });

  it('tells its last words', async () => {
    const dying = new InferenceProcess(
      script("process.stderr.write('malloc: no\\n', () => process.kill(process.pid, 'SIGABRT'));"),
    );
    await assert.rejects(
      dying.request({ kind: 'run' }, []),
      (e) => e instanceof ProcessEnded && e.message.includes('SIGABRT') && e.message.includes('malloc: no'),
    );
  });

  it('says no to what it cannot do, and goes on', async () => {
    const file = folder.write(doubling());
    const process = new InferenceProcess();
    const ask = (model: string) =>
      process.request({ kind: 'open', model, outputs: [], threads: 1, observed: [], kept: [] }, []);
    await assert.rejects(ask(`${file}.none`), (e) => e instanceof InferenceFailure && e.kind === 'unreadable');
    const broken = path.join(scripts, 'broken.onnx');
    writeFileSync(broken, 'no model');
    await assert.rejects(ask(broken), (e) => e instanceof InferenceFailure && e.kind === 'refused');
    await ask(file);
    const x = { name: 'x', type: 'float32', dims: [1, 1, 2, 2], data: INPUT } as const;
    const { arrays } = await process.request({ kind: 'run' }, [x]);
    const [y] = arrays;
    assert.deepEqual([y.type, y.dims, [...(y.data as Float32Array)]], ['float32', [1, 1, 2, 2], DOUBLED]);
    process.dispose();
  });

  it('hands over large arrays whole, in parallel processes', async () => {
    const m = new OnnxBuilder();
    const size = [1, 8, 512, 512];
    m.output(m.node('Relu', [m.input('x', size)]));
    const file = folder.write(m);
    const graph = await importModel(file);
    const input = Float32Array.from({ length: 8 * 512 * 512 }, (_, i) => (i % 1001) - 500);
    await Promise.all(
      [0, 1].map(async () => {
        const session = await FloatSession.open(graph, file, { maps: [], preClamp: [] });
        for (let run = 0; run < 3; run++) {
          await session.run([input]);
          const [output] = session.outputs();
          assert.equal(output.length, input.length);
          assert.ok(output.every((v, i) => v === Math.max(0, input[i])));
        }
        await session.dispose();
      }),
    );
  });
});

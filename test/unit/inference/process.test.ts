import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { RuntimeSession } from '../../../src/engine/calibration/runtime';
import { FloatSession } from '../../../src/engine/calibration/session';
import { CancelledError, UserError } from '../../../src/engine/common/errors';
import { InferenceFailure, InferenceProcess, ProcessEnded } from '../../../src/engine/inference/process';
import { importModel } from '../../../src/engine/onnx';
import { ModelFolder, OnnxBuilder } from '../../support/onnxBuilder';

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
    RuntimeSession.open(file, await importModel(file), [], { notes });
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

  it('ends when it is disposed of', async () => {
    const session = await open(folder.write(doubling()));
    const pid = pidOf(session);
    assert.ok(alive(pid));
    await session.dispose();
    await gone(pid);
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
    const ask = (model: string) => process.request({ kind: 'open', model, outputs: [], threads: 1 }, []);
    await assert.rejects(ask(`${file}.none`), (e) => e instanceof InferenceFailure && e.kind === 'unreadable');
    const broken = path.join(scripts, 'broken.onnx');
    writeFileSync(broken, 'no model');
    await assert.rejects(ask(broken), (e) => e instanceof InferenceFailure && e.kind === 'refused');
    await ask(file);
    const x = { name: 'x', type: 'float32', dims: [1, 1, 2, 2], data: INPUT } as const;
    const [y] = await process.request({ kind: 'run' }, [x]);
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

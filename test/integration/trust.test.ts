import { strict as assert } from 'node:assert';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { ModelDocument } from '../../src/host/editor/document';
import { EngineClient } from '../../src/host/engineClient/client';
import { workerThread } from '../../src/host/engineClient/transport';
import type { QuantizeRequest } from '../../src/protocol/engine';
import { RemoteFailure } from '../../src/protocol/peer';
import { projectRoot } from '../support/paths';
import { entropyRequest } from '../support/entropyRequest';
import { smallModel, workspacePath, writeImages } from './fixtures';

const at = (...parts: string[]): string => workspacePath('trust', ...parts);
const request = (): QuantizeRequest => ({
  modelPath: at('net.onnx'),
  planPath: at('net.quantmcu.json'),
  imagesPath: at('images'),
  ...entropyRequest,
  grid: 'none',
  limit: 0,
});
const inDist = (file: string): string => path.join(projectRoot, 'dist', file);
const engineOf = (trusted: boolean, script = inDist('worker.js')): EngineClient =>
  new EngineClient(
    workerThread(script, () => trusted),
    { info: () => undefined, error: () => undefined },
  );

/**
 * An engine whose onnxruntime processes end as a fault of the library ends them, as soon as they have opened a model,
 * while the file `crash` of its folder is there.
 */
function crashingEngine(folder: string): EngineClient {
  mkdirSync(folder, { recursive: true });
  for (const file of ['worker.js', 'evaluator.js', 'fitter.js']) copyFileSync(inDist(file), path.join(folder, file));
  const crash = JSON.stringify(path.join(folder, 'crash'));
  writeFileSync(
    path.join(folder, 'inference.js'),
    `const fs = require('fs');
    const write = fs.writeSync;
    fs.writeSync = (...args) => {
      const written = write(...args);
      if (fs.existsSync(${crash})) process.kill(process.pid, 'SIGSEGV');
      return written;
    };
    require(${JSON.stringify(inDist('inference.js'))});`,
  );
  return engineOf(true, path.join(folder, 'worker.js'));
}

describe('trust and faults', function () {
  this.timeout(180_000);
  let trusted: EngineClient;
  before(async () => {
    mkdirSync(at('images'), { recursive: true });
    writeFileSync(at('net.onnx'), smallModel());
    writeImages(at('images'), 4, 40);
    trusted = engineOf(true);
    await trusted.run((e) => e.quantize(request()));
  });
  after(async () => {
    trusted.dispose();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('a plan is not changed in a workspace that is not trusted, nor a change taken back', async () => {
    const document = new ModelDocument(vscode.Uri.file(at('net.onnx')), trusted);
    const own = Object.getOwnPropertyDescriptor(vscode.workspace, 'isTrusted')!;
    const text = (): string => readFileSync(at('net.quantmcu.json'), 'utf8');
    const refused = /Changing a plan needs a trusted workspace/;
    try {
      const layer = (await document.view()).model.layers.find(({ plan }) => plan?.weightBits === 8)!;
      const change = { kind: 'weightBits', layer: layer.id, bits: 4 } as const;
      const before = text();
      await document.change(change);
      const after = text();
      assert.notEqual(after, before);
      Object.defineProperty(vscode.workspace, 'isTrusted', { configurable: true, get: () => false });
      assert.equal(vscode.workspace.isTrusted, false);
      await assert.rejects(document.change({ ...change, bits: 8 }), refused);
      await assert.rejects(document.history.undo(), refused);
      assert.equal(text(), after);
      Object.defineProperty(vscode.workspace, 'isTrusted', own);
      assert.equal(await document.history.undo(), true);
      assert.equal(text(), before);
    } finally {
      Object.defineProperty(vscode.workspace, 'isTrusted', own);
      document.dispose();
    }
  });

  it('a model outside the plan’s folder is not read in an untrusted workspace, whatever is there', async () => {
    const restricted = engineOf(false);
    const outside = path.join(at(), '../outside.onnx');
    const plan = JSON.parse(readFileSync(at('net.quantmcu.json'), 'utf8')) as { model: object };
    const problemOf = async (engine: EngineClient, file: string): Promise<string | null> => {
      const planText = JSON.stringify({ ...plan, model: { ...plan.model, file } });
      const { modelPath, planPath } = request();
      return (await engine.ask((e) => e.view({ modelPath, planPath, planText }))).planProblem;
    };
    try {
      for (const file of [outside, '../outside.onnx']) {
        // The answer is the same for the plan's own model, for another file and for none: it was not looked at.
        copyFileSync(at('net.onnx'), outside);
        const own = await problemOf(restricted, file);
        assert.match(
          own!,
          /net\.quantmcu\.json: the model ".*outside\.onnx" is outside the plan's.*Trust the workspace/,
        );
        assert.equal(await problemOf(trusted, file), null);
        writeFileSync(outside, 'another file');
        assert.equal(await problemOf(restricted, file), own);
        rmSync(outside);
        assert.equal(await problemOf(restricted, file), own);
      }
      assert.equal(await problemOf(restricted, 'net.onnx'), null);
    } finally {
      rmSync(outside, { force: true });
      restricted.dispose();
    }
  });

  it('a crash of onnxruntime is told in one message, and the extension goes on', async function () {
    if (process.platform === 'win32') this.skip(); // It has no such signals.
    const engine = crashingEngine(at('engine'));
    const crash = at('engine', 'crash');
    // Another model, of which nothing is in the cache.
    writeFileSync(at('other.onnx'), smallModel(7));
    const quantized = (): Promise<unknown> =>
      engine.run((e) => e.quantize({ ...request(), modelPath: at('other.onnx'), planPath: at('other.quantmcu.json') }));
    const others = (): string[] => readdirSync(at()).filter((file) => file.startsWith('other'));
    try {
      writeFileSync(crash, '');
      await assert.rejects(
        quantized(),
        (e) =>
          e instanceof RemoteFailure &&
          /^The onnxruntime process crashed again .*other\.onnx \(SIGSEGV\)/.test(e.message) &&
          !e.message.includes('\n'),
      );
      // Nothing of the failed run is left; the same engine, in the same extension host, goes on.
      assert.deepEqual(others(), ['other.onnx']);
      rmSync(crash);
      await quantized();
      assert.ok(others().includes('other.quantmcu.json'));
    } finally {
      engine.dispose();
    }
  });
});

import { strict as assert } from 'node:assert';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { ModelDocuments } from '../../src/host/editor/documents';
import { EngineClient } from '../../src/host/engineClient/client';
import { workerThread } from '../../src/host/engineClient/transport';
import { Jobs } from '../../src/host/jobs';
import { InspectTool } from '../../src/host/tools/inspectTool';
import { QuantizeTool } from '../../src/host/tools/quantizeTool';
import { projectRoot } from '../support/paths';
import { smallModel, unsupportedModel, workspacePath, writeImages } from './fixtures';

interface ToolManifest {
  name: string;
  inputSchema: { properties: object; required: string[] };
  modelDescription: string;
}

describe('tools for language models', () => {
  let inspect: InspectTool;
  let quantize: QuantizeTool;
  let engine: EngineClient;
  let documents: ModelDocuments;
  const log = vscode.window.createOutputChannel('tools test', { log: true });
  const { token } = new vscode.CancellationTokenSource();
  const invocation = <T>(input: T): vscode.LanguageModelToolInvocationOptions<T> => ({
    input,
    toolInvocationToken: undefined,
  });
  const read = (result: vscode.LanguageModelToolResult): Record<string, unknown> =>
    JSON.parse((result.content[0] as vscode.LanguageModelTextPart).value) as Record<string, unknown>;

  before(() => {
    mkdirSync(workspacePath('tools'), { recursive: true });
    writeFileSync(workspacePath('tools', 'net.onnx'), smallModel());
    writeFileSync(workspacePath('tools', 'bad.onnx'), unsupportedModel());
    writeImages(workspacePath('tools', 'images'), 4, 40);
    engine = new EngineClient(workerThread(`${projectRoot}/dist/worker.js`), {
      info: () => undefined,
      error: () => undefined,
    });
    documents = new ModelDocuments(engine);
    inspect = new InspectTool({ documents });
    quantize = new QuantizeTool({ documents, engine, jobs: new Jobs(), log });
  });
  after(() => {
    documents.dispose();
    engine.dispose();
    log.dispose();
  });

  it('are described, and registered where VS Code has them', async () => {
    const extension = vscode.extensions.getExtension('quantmcu.quantmcu')!;
    await extension.activate();
    const { contributes } = extension.packageJSON as { contributes: { languageModelTools: ToolManifest[] } };
    assert.deepEqual(
      contributes.languageModelTools.map(({ name }) => name),
      ['inspect_model', 'quantize_model'],
    );
    for (const { inputSchema, modelDescription } of contributes.languageModelTools) {
      assert.ok(modelDescription.length > 80);
      for (const name of inputSchema.required) assert.ok(Object.hasOwn(inputSchema.properties, name));
    }
  });

  it('inspect tells layers and problems, and asks for no confirmation', async () => {
    const prepared = inspect.prepareInvocation({ input: { model: 'tools/net.onnx' } });
    assert.equal(prepared.confirmationMessages, undefined);
    const good = read(await inspect.invoke(invocation({ model: 'tools/net.onnx' })));
    assert.equal((good.layers as object[]).length, good.layerCount);
    assert.deepEqual(good.problems, []);
    const bad = read(await inspect.invoke(invocation({ model: workspacePath('tools', 'bad.onnx'), layers: false })));
    assert.equal((bad.problems as { node: string }[])[0].node, 'finder');
    assert.equal(bad.layers, undefined);
  });

  it('quantize asks first, naming model, board and images, and then leaves a plan that inspect reads', async () => {
    const input = {
      model: 'tools/net.onnx',
      images: 'tools/images',
      target: 'nano33ble',
      sramBytes: 200_000,
      preprocess: 'unit',
    };
    const { confirmationMessages } = await quantize.prepareInvocation({ input });
    assert.equal(confirmationMessages?.title, 'Quantize net.onnx?');
    const message = (confirmationMessages.message as vscode.MarkdownString).value.replaceAll('&nbsp;', ' ');
    assert.match(message, /tools\/net\.onnx.*Arduino Nano 33 BLE.*tools\/images/s);
    assert.match(message, /next to the model/);
    assert.ok(!existsSync(workspacePath('tools', 'net.quantmcu.json')));
    const summary = read(await quantize.invoke(invocation(input), token));
    const { arenaBytes } = summary.memory as { arenaBytes: number };
    assert.ok(arenaBytes > 0);
    assert.ok(existsSync(workspacePath('tools', 'net.quantmcu.json')));
    assert.deepEqual(
      (JSON.parse(readFileSync(workspacePath('tools', 'net.quantmcu.json'), 'utf8')) as { target: unknown }).target,
      { id: 'nano33ble', sramBytes: 200_000, flashBytes: 1 << 20 },
    );
    const { plan } = read(await inspect.invoke(invocation({ model: 'tools/net.onnx' })));
    assert.equal((plan as { figures: { arenaBytes: number } }).figures.arenaBytes, arenaBytes);
    const again = await quantize.prepareInvocation({ input });
    assert.match(
      (again.confirmationMessages!.message as vscode.MarkdownString).value.replaceAll('&nbsp;', ' '),
      /replaces the plan/,
    );
  });

  it('refuse what lies outside the workspace, is not there or makes no sense, before anybody is asked', async () => {
    symlinkSync('/etc', workspacePath('tools', 'out'));
    const input = { model: 'tools/net.onnx', images: 'tools/images', target: 'nano33ble' };
    const cases: [object, RegExp][] = [
      [{ ...input, model: '/etc/passwd' }, /outside the workspace/],
      [{ ...input, model: '../../../package.json' }, /outside the workspace|not there/],
      [{ ...input, model: 'tools/none.onnx' }, /does not exist/],
      [{ ...input, images: 'tools/out' }, /outside the workspace/],
      [{ ...input, model: 'notes.txt' }, /not an \.onnx file/],
      [{ ...input, target: 'toaster' }, /There is no board "toaster"\. Boards: nano33ble/],
      [{ ...input, preprocess: '/etc/passwd' }, /preprocess must be one of/],
      [{ ...input, sramBytes: -4 }, /number of bytes/],
      [{ images: 'x', target: 'y' }, /the model is missing/],
    ];
    for (const [given, message] of cases) {
      await assert.rejects(quantize.prepareInvocation({ input: given as typeof input }), message);
      await assert.rejects(quantize.invoke(invocation(given as typeof input), token), message);
    }
    await assert.rejects(inspect.invoke(invocation({ model: '/etc/hostname' })), /outside the workspace/);
  });
});

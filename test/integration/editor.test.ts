import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { ModelDocument } from '../../src/host/editor/document';
import { EngineClient } from '../../src/host/engineClient/client';
import { workerThread } from '../../src/host/engineClient/transport';
import { RemoteFailure } from '../../src/protocol/peer';
import { projectRoot } from '../support/paths';
import { smallModel, unsupportedModel, until, workspacePath } from './fixtures';

const file = (name: string, content: Uint8Array): vscode.Uri => {
  writeFileSync(workspacePath(name), content);
  return vscode.Uri.file(workspacePath(name));
};

describe('custom editor', () => {
  let engine: EngineClient;
  before(() => {
    engine = new EngineClient(workerThread(`${projectRoot}/dist/worker.js`), {
      info: () => undefined,
      error: () => undefined,
    });
  });
  after(() => engine.dispose());
  afterEach(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  it('opens .onnx files by default, also the same one twice', async () => {
    const model = file('opened.onnx', smallModel());
    await vscode.commands.executeCommand('vscode.open', model);
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    assert.ok(input instanceof vscode.TabInputCustom);
    assert.equal(input.viewType, 'quantmcu.model');
    await vscode.commands.executeCommand('vscode.openWith', model, 'quantmcu.model', vscode.ViewColumn.Beside);
    assert.equal(vscode.window.tabGroups.all.length, 2);
  });

  it('shows layers, shapes and operators of a model without a plan', async () => {
    const document = new ModelDocument(file('plain.onnx', smallModel()), engine);
    const { model, plan, planProblem } = await document.view();
    document.dispose();
    assert.equal(plan, null);
    assert.equal(planProblem, null);
    assert.equal(model.problems.length, 0);
    assert.deepEqual(
      model.layers.slice(0, 2).map(({ kind, detail, output }) => ({ kind, detail, output })),
      [
        { kind: 'conv', detail: '3×3 s2', output: { h: 16, w: 16, c: 16 } },
        { kind: 'depthwise', detail: '3×3', output: { h: 16, w: 16, c: 16 } },
      ],
    );
    assert.equal(model.layers[0].operators, 'Conv + Relu');
    assert.equal(model.layers[0].macs, 16 * 16 * 16 * 27);
    assert.deepEqual(model.inputs, [{ name: 'image', type: 'float32', shape: 'batch×3×32×32' }]);
  });

  it('shows a model that cannot be quantized, each problem at its node', async () => {
    const document = new ModelDocument(file('unsupported.onnx', unsupportedModel()), engine);
    const { model } = await document.view();
    document.dispose();
    assert.equal(model.layers.length, 2);
    assert.equal(model.layers[1].kind, 'NonZero');
    assert.ok(model.layers[1].problem);
    assert.ok(
      model.problems.some(({ node, operator, remedy }) => node === 'finder' && operator === 'NonZero' && remedy !== ''),
    );
  });

  it('says in one line why a file is no model, and shows it once it is one', async () => {
    const uri = file('later.onnx', Buffer.from('version https://git-lfs.github.com/spec/v1\n'));
    const document = new ModelDocument(uri, engine);
    let changes = 0;
    document.onDidChange(() => changes++);
    await assert.rejects(
      document.view(),
      (error) => error instanceof RemoteFailure && error.kind === 'user' && /git lfs pull/.test(error.message),
    );
    file('later.onnx', smallModel());
    await until('the change to be noticed', () => changes > 0);
    assert.equal((await document.view()).model.layers.length > 5, true);
    document.dispose();
  });
});

import { strict as assert } from 'node:assert';
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { EngineClient } from '../../src/host/engineClient/client';
import { workerThread } from '../../src/host/engineClient/transport';
import { projectRoot } from '../support/paths';
import { smallModel, unsupportedModel, until, workspacePath, writeImages } from './fixtures';
import { entropyRequest } from '../support/entropyRequest';

const at = (...parts: string[]): string => workspacePath('planText', ...parts);

/** Problems of ours at a file, as `line: code`. */
const problems = (uri: vscode.Uri): string[] =>
  vscode.languages
    .getDiagnostics(uri)
    .filter(({ source }) => source === 'QuantMCU')
    .map(({ range, code }) => `${range.start.line}: ${code as string}`);

/** Of all that is shown on hover: the plan's schema says something, too. */
const textOf = (hovers: readonly vscode.Hover[]): string =>
  hovers
    .flatMap(({ contents }) => contents)
    .map((content) => (content as vscode.MarkdownString).value)
    .join('\n')
    .replaceAll('&nbsp;', ' ');

/** What is offered for the first problem of a plan. */
async function quickFixes(plan: vscode.Uri): Promise<vscode.CodeAction[]> {
  const [{ range }] = vscode.languages.getDiagnostics(plan).filter(({ source }) => source === 'QuantMCU');
  const provider = 'vscode.executeCodeActionProvider';
  return vscode.commands.executeCommand<vscode.CodeAction[]>(provider, plan, range, 'quickfix');
}

describe('a plan as text', () => {
  const model = (): vscode.Uri => vscode.Uri.file(at('net.onnx'));
  const plan = (): vscode.Uri => vscode.Uri.file(at('net.quantmcu.json'));
  let document: vscode.TextDocument;
  const lineOf = (text: string): number =>
    document.getText().slice(0, document.getText().indexOf(text)).split('\n').length - 1;

  before(async () => {
    await vscode.extensions.getExtension('quantmcu.quantmcu')!.activate();
    mkdirSync(at(), { recursive: true });
    writeFileSync(model().fsPath, smallModel());
    writeImages(at('images'), 4, 40);
    const engine = new EngineClient(workerThread(`${projectRoot}/dist/worker.js`), {
      info: () => undefined,
      error: () => undefined,
    });
    await engine.run((e) =>
      e.quantize({
        modelPath: model().fsPath,
        planPath: plan().fsPath,
        imagesPath: at('images'),
        ...entropyRequest,
        grid: 'none',
        limit: 0,
      }),
    );
    await engine.run((e) => e.generate({ planPath: plan().fsPath, projectPath: at(), layoutId: 'plain' }));
    engine.dispose();
    document = await vscode.workspace.openTextDocument(plan());
    await vscode.window.showTextDocument(document);
  });
  after(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  it('has lenses with its figures that lead to the editor, to quantizing and to generating', async () => {
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', plan());
    assert.deepEqual(
      lenses.map(({ command }) => command?.command),
      ['quantmcu.showLayer', 'quantmcu.quantize', 'quantmcu.generate'],
    );
    assert.match(lenses[0].command!.title, /Arduino Nano 33 BLE.*: SRAM [\d.]+ KiB of 256 KiB, flash/);
    assert.equal(String(lenses[0].command!.arguments), model().toString());
  });

  it('tells bits and bytes of a layer and of a map on hover, with a link to it', async () => {
    const hover = async (name: string): Promise<string> => {
      const position = document.positionAt(document.getText().indexOf(`"${name}": {`) + 2);
      return textOf(
        await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', plan(), position),
      );
    };
    const text = await hover('block1/depthwise');
    assert.match(text, /Conv \\?\+ Relu/);
    assert.match(text, /Weights: 8 bits, \d+/);
    assert.match(text, /16×16×16/);
    assert.match(text, /command:quantmcu\.showLayer\?/);
    const map = /"maps": \{\n {4}"([^"]+)"/.exec(document.getText())?.[1];
    if (map !== undefined) assert.match(await hover(map), /Writes: [48] bits/);
  });

  it('has a link on each layer that opens the editor', async () => {
    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>('vscode.executeLinkProvider', plan());
    const ours = links.filter(({ target }) => target?.path === 'quantmcu.showLayer');
    const { layers, maps } = JSON.parse(document.getText()) as { layers: object; maps: object };
    assert.equal(ours.length, Object.keys(layers).length + Object.keys(maps).length);
    const [uri, layer] = JSON.parse(ours[0].target!.query) as [string, number];
    await vscode.commands.executeCommand('quantmcu.showLayer', uri, layer);
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    assert.ok(input instanceof vscode.TabInputCustom && input.uri.toString() === model().toString());
    await vscode.window.showTextDocument(document);
  });

  it('has no problems when nothing is wrong', async () => {
    // The check that opening it started has ended when a change and its undoing have been answered.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.deepEqual(problems(plan()), []);
    assert.deepEqual(problems(model()), []);
  });

  it('says that the images are gone, at their line, and lets choose others', async () => {
    renameSync(at('images'), at('pictures'));
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(plan()));
    appendFileSync(plan().fsPath, '\n');
    const [problem] = await until('the problem', () => {
      const found = problems(plan());
      return found.length > 0 && found;
    });
    assert.equal(problem, `${lineOf('"folder":')}: images-missing`);
    const actions = await quickFixes(plan());
    const fix = actions.find(({ command }) => command?.command === 'quantmcu.chooseImages')!;
    assert.equal(fix.title, 'Choose Images…');
    await vscode.commands.executeCommand('quantmcu.chooseImages', plan(), vscode.Uri.file(at('pictures')));
    assert.equal(
      (JSON.parse(readFileSync(plan().fsPath, 'utf8')) as { calibration: { folder: string } }).calibration.folder,
      'pictures',
    );
    await until('the problem to go', () => problems(plan()).length === 0);
  });

  it('says that its parameters are gone, at their line', async () => {
    const parameters = at('net.quantmcu.params');
    const bytes = readFileSync(parameters);
    rmSync(parameters);
    assert.deepEqual(
      await until('the problem', () => {
        const found = problems(plan());
        return found.length > 0 && found;
      }),
      [`${lineOf('"file": "net.quantmcu.params"')}: parameters-missing`],
    );
    writeFileSync(parameters, bytes);
    await until('the problem to go', () => problems(plan()).length === 0);
  });

  it('says which maps do not agree, as it is typed, at the first one', async () => {
    const text = readFileSync(plan().fsPath, 'utf8');
    const input = text.replace(/"maps": \{\n(?: +"image": \{[^}]*\},\n)?/, '"maps": {\n    "image": {"bits":4},\n');
    const editor = await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(plan()));
    await editor.edit((edit) => edit.replace(new vscode.Range(0, 0, editor.document.lineCount, 0), input));
    const line = input.slice(0, input.indexOf('"image": {"bits"')).split('\n').length - 1;
    assert.deepEqual(
      await until('the problem', () => {
        const found = problems(plan());
        return found.length > 0 && found;
      }),
      [`${line}: invalid`],
    );
    // The command is for the active editor: on a busy machine one that was asked for earlier may come meanwhile.
    await until('the saved text', async () => {
      const { document } = await vscode.window.showTextDocument(editor.document);
      if (document.isDirty) await vscode.commands.executeCommand('workbench.action.files.revert');
      return !document.isDirty && document.getText() === text;
    });
    await until('the problem to go', () => problems(plan()).length === 0);
  });

  it('says that the model has changed, and offers to quantize again', async () => {
    const bytes = readFileSync(model().fsPath);
    writeFileSync(model().fsPath, smallModel(2));
    assert.deepEqual(
      await until('the problem', () => {
        const found = problems(plan());
        return found.length > 0 && found;
      }),
      [`${lineOf('"sha256":')}: model-changed`],
    );
    const actions = await quickFixes(plan());
    assert.deepEqual(
      actions
        .filter(({ command }) => command?.command.startsWith('quantmcu.'))
        .map(({ title, command }) => [title, command?.command]),
      [['Quantize Again…', 'quantmcu.quantize']],
    );
    rmSync(model().fsPath);
    await until('the model to be missed', () =>
      problems(plan()).some((problem) => problem.endsWith(': model-missing')),
    );
    writeFileSync(model().fsPath, bytes);
    await until('the problem to go', () => problems(plan()).length === 0);
  });

  it('leads from the comments of generated C to the layers', async () => {
    const source = vscode.Uri.file(at('lib', 'net', 'net.c'));
    const c = await vscode.workspace.openTextDocument(source);
    const comments = c
      .getText()
      .split('\n')
      .filter((line) => /^\s*\/\* Layer \d+/.test(line)).length;
    assert.ok(comments > 4);
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      source,
      comments,
    );
    assert.equal(lenses.length, comments);
    assert.match(lenses[0].command!.title, /Show in the Editor \([48]-bit map, [\d.]+ (KiB|bytes)\)/);
    assert.equal(lenses[0].command!.command, 'quantmcu.showLayer');
    assert.match(
      c.lineAt(lenses[2].range.start.line).text,
      new RegExp(`Layer ${String(lenses[2].command!.arguments![1])}\\b`),
    );
    assert.match(
      textOf(
        await vscode.commands.executeCommand<vscode.Hover[]>(
          'vscode.executeHoverProvider',
          source,
          lenses[0].range.start,
        ),
      ),
      /Weights: 8 bits/,
    );
    const header = vscode.Uri.file(at('other.c'));
    writeFileSync(header.fsPath, '/* Layer 1: not ours */\nint x;\n');
    await vscode.workspace.openTextDocument(header);
    assert.deepEqual(
      await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', header, 5),
      [],
    );
  });
});

describe('problems of a model', () => {
  it('stand at the file with node, operator and remedy while it is open', async () => {
    await vscode.extensions.getExtension('quantmcu.quantmcu')!.activate();
    const model = vscode.Uri.file(workspacePath('problematic.onnx'));
    writeFileSync(model.fsPath, unsupportedModel());
    await vscode.commands.executeCommand('vscode.openWith', model, 'quantmcu.model');
    const found = await until('the problem', () => {
      const all = vscode.languages.getDiagnostics(model);
      return all.length > 0 && all;
    });
    assert.ok(
      found.some(
        ({ message, severity }) =>
          /^NonZero "finder": .+\. .+/.test(message) && severity === vscode.DiagnosticSeverity.Error,
      ),
      found.map(({ message }) => message).join('\n'),
    );
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await until('the problems to go', () => vscode.languages.getDiagnostics(model).length === 0);
  });
});

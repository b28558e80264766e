import { strict as assert } from 'node:assert';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { smallModel, unsupportedModel, until, workspacePath, writeImages } from './fixtures';

const folder = 'tasks with spaces & $(touch pwned)';

const TASKS = {
  good: {
    command: 'quantize',
    file: `${folder}/net.onnx`,
    options: { images: `${folder}/images`, target: 'nano33ble', grid: 'none', 'no-cache': true },
  },
  generate: { command: 'generate', file: `${folder}/net.quantmcu.json`, options: { project: folder } },
  bad: {
    command: 'quantize',
    file: `${folder}/bad.onnx`,
    options: { images: `${folder}/images`, target: 'nano33ble' },
  },
};

/** Runs a task of tasks.json to its end. @returns its exit code */
async function runTask(label: keyof typeof TASKS): Promise<number | undefined> {
  const task = await until(`the task ${label}`, async () =>
    (await vscode.tasks.fetchTasks({ type: 'quantmcu' })).find(({ name }) => name === label),
  );
  const ended = new Promise<number | undefined>((resolve) => {
    const listener = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
      if (execution.task.name !== label) return;
      listener.dispose();
      resolve(exitCode);
    });
  });
  await vscode.tasks.executeTask(task);
  return ended;
}

describe('tasks in a build', () => {
  before(async () => {
    await vscode.extensions.getExtension('quantmcu.quantmcu')!.activate();
    mkdirSync(workspacePath(folder), { recursive: true });
    writeFileSync(workspacePath(folder, 'net.onnx'), smallModel());
    writeFileSync(workspacePath(folder, 'bad.onnx'), unsupportedModel());
    writeImages(workspacePath(folder, 'images'), 4, 40);
    mkdirSync(workspacePath('.vscode'), { recursive: true });
    const tasks = Object.entries(TASKS).map(([label, definition]) => ({
      type: 'quantmcu',
      label,
      ...definition,
      problemMatcher: '$quantmcu',
    }));
    writeFileSync(workspacePath('.vscode/tasks.json'), JSON.stringify({ version: '2.0.0', tasks }));
  });
  after(() => rmSync(workspacePath('.vscode'), { recursive: true }));

  it('quantize and generate by the command line, without a shell', async () => {
    assert.equal(await runTask('good'), 0);
    assert.ok(existsSync(workspacePath(folder, 'net.quantmcu.json')));
    assert.equal(await runTask('generate'), 0);
    assert.ok(existsSync(workspacePath(folder, 'lib/net/net.h')));
    assert.ok(!existsSync(workspacePath('pwned')));
  });

  it('are offered for each plan: as it was made, and its self-test', async () => {
    const tasks = await vscode.tasks.fetchTasks({ type: 'quantmcu' });
    const ours = tasks.filter(
      ({ name, definition }) => !Object.hasOwn(TASKS, name) && (definition.file as string).startsWith(folder),
    );
    assert.deepEqual(ours.map(({ name }) => name).sort(), ['quantize net.onnx', 'selftest net.quantmcu.json']);
    assert.deepEqual(
      ours.map(({ problemMatchers }) => problemMatchers),
      [['$quantmcu'], ['$quantmcu']],
    );
  });

  it('put what goes wrong into the problems, at its file', async () => {
    const model = vscode.Uri.file(workspacePath(folder, 'bad.onnx'));
    assert.equal(await runTask('bad'), 1);
    const [problem] = await until('the problem', () => {
      const found = vscode.languages.getDiagnostics(model);
      return found.length > 0 && found;
    });
    assert.match(problem.message, /^NonZero "finder": /);
    assert.equal(problem.severity, vscode.DiagnosticSeverity.Error);
  });
});

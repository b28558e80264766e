import { strict as assert } from 'node:assert';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import * as vscode from 'vscode';
import type { RpcMessage } from '../../src/protocol/rpc';
import { smallModel, until, workspacePath, writeImages } from './fixtures';

interface Plan {
  model: { file: string };
  calibration: { images: number; folder: string };
  search: { phi: number };
}

/** A folder with a model and images of its own: the command offers the images that lie nearest first. */
class Case {
  readonly folder: string;
  readonly model: vscode.Uri;
  readonly plan: string;

  constructor(name: string, images: number, side: number) {
    this.folder = workspacePath(name);
    mkdirSync(this.folder, { recursive: true });
    this.model = vscode.Uri.file(workspacePath(name, 'net.onnx'));
    this.plan = workspacePath(name, 'net.quantmcu.json');
    writeFileSync(this.model.fsPath, smallModel());
    writeImages(workspacePath(name, 'images'), images, side);
  }

  get files(): string[] {
    return readdirSync(this.folder).sort();
  }
}

/** Runs a command and answers each of its questions with Enter until it ends, or until `stop` says so. */
async function answering(
  command: string,
  argument: vscode.Uri,
  stop: () => boolean = () => false,
): Promise<{ ended: Promise<unknown> }> {
  let finished = false;
  const ended = Promise.resolve(vscode.commands.executeCommand(command, argument)).finally(() => {
    finished = true;
  });
  await until(
    `${command} to get on`,
    async () => {
      if (finished || stop()) return true;
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      return false;
    },
    60,
  );
  return { ended };
}

async function run(command: string, argument: vscode.Uri): Promise<void> {
  await (
    await answering(command, argument)
  ).ended;
}

/** Runs the command until its job is given to a thread, which has read the model while the questions were asked. */
async function runUntilBusy(argument: vscode.Uri): Promise<{ thread: Worker; ended: Promise<unknown> }> {
  let thread: Worker | undefined;
  const listener = (worker: Worker): void => {
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (message: RpcMessage): void => {
      if (message.type === 'call' && message.method === 'quantize') thread = worker;
      post(message);
    };
  };
  process.on('worker', listener);
  try {
    const { ended } = await answering('quantmcu.quantize', argument, () => thread !== undefined);
    assert.ok(thread, 'the job ended without a thread');
    return { thread, ended };
  } finally {
    process.off('worker', listener);
  }
}

describe('quantizing and generating', () => {
  let small: Case;
  let large: Case;
  before(() => {
    small = new Case('small', 12, 40);
    large = new Case('large', 100, 800);
  });
  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(large.folder, { recursive: true });
  });

  it('quantizes with the images beside the model, leaves a plan and opens the editor', async () => {
    await run('quantmcu.quantize', small.model);
    const plan = JSON.parse(readFileSync(small.plan, 'utf8')) as Plan;
    assert.equal(plan.model.file, 'net.onnx');
    assert.deepEqual(plan.calibration, { ...plan.calibration, images: 12, folder: 'images' });
    assert.equal(plan.search.phi, vscode.workspace.getConfiguration('quantmcu').get('phi'));
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    assert.ok(input instanceof vscode.TabInputCustom && input.uri.fsPath === small.model.fsPath);
  });

  it('generates sources into a project, again without a question, and asks before touching edited ones', async () => {
    const project = workspacePath('small', 'firmware');
    mkdirSync(project);
    writeFileSync(`${project}/CMakeLists.txt`, 'cmake_minimum_required(VERSION 3.16)\n');
    await until(
      'the project to be found',
      async () => (await vscode.workspace.findFiles('small/firmware/*')).length > 0,
    );
    const header = `${project}/lib/net/net.h`;
    await run('quantmcu.generate', small.model);
    const text = readFileSync(header, 'utf8');
    assert.ok(existsSync(`${project}/lib/net/net_kernels.c`));
    await run('quantmcu.generate', small.model);
    appendFileSync(header, '/* mine */\n');
    // VS Code shows no modal dialogs to tests: the question ends as if it had been dismissed.
    await run('quantmcu.generate', small.model);
    assert.equal(readFileSync(header, 'utf8'), `${text}/* mine */\n`);
  });

  it('generates less code where the setting says so', async () => {
    const kernels = workspacePath('small', 'firmware/lib/net/net_kernels.c');
    const config = vscode.workspace.getConfiguration('quantmcu');
    for (const optimize of ['size', undefined]) {
      rmSync(workspacePath('small', 'firmware/lib'), { recursive: true });
      await config.update('optimize', optimize, vscode.ConfigurationTarget.Workspace);
      await run('quantmcu.generate', small.model);
      assert.equal(existsSync(kernels), optimize === undefined);
    }
  });

  it('cancels, leaves nothing behind, and runs again', async () => {
    const { ended } = await runUntilBusy(large.model);
    await vscode.commands.executeCommand('quantmcu.cancel', large.model);
    await ended;
    assert.deepEqual(large.files, ['images', 'net.onnx']);
    rmSync(small.plan);
    await run('quantmcu.quantize', small.model);
    assert.ok(existsSync(small.plan));
  });

  it('survives the death of its thread, and the next run works', async () => {
    const { thread, ended } = await runUntilBusy(large.model);
    await thread.terminate();
    await ended;
    assert.deepEqual(large.files, ['images', 'net.onnx']);
    rmSync(small.plan);
    await run('quantmcu.quantize', small.model);
    assert.ok(existsSync(small.plan));
  });
});

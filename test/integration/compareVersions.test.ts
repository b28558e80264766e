import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { smallModel, until, workspacePath } from './fixtures';

describe('versions of a model', () => {
  const folder = workspacePath('versions');
  const model = vscode.Uri.file(workspacePath('versions', 'net.onnx'));
  const git = (...args: string[]): void => {
    const { status, stderr } = spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  };

  const enableGit = (enabled: boolean): Thenable<void> =>
    vscode.workspace.getConfiguration('git').update('enabled', enabled, vscode.ConfigurationTarget.Global);

  before(async () => {
    mkdirSync(folder, { recursive: true });
    git('init', '-q');
    writeFileSync(model.fsPath, smallModel(1));
    git('add', '.');
    git('commit', '-qm', 'one');
    writeFileSync(model.fsPath, smallModel(2));
    // The settings of the tests turn Git off, for no other needs it.
    await enableGit(true);
    await vscode.extensions.getExtension('vscode.git')?.activate();
    await until('Git', async () => (await vscode.commands.getCommands(true)).includes('git.openRepository'));
    await vscode.commands.executeCommand('git.openRepository', folder);
  });
  after(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await enableGit(false);
    rmSync(folder, { recursive: true });
  });

  it('are compared as text: with other weights only their lines differ', async () => {
    await vscode.commands.executeCommand('quantmcu.compareVersions', model);
    const shown = (): vscode.TabInputTextDiff | undefined => {
      const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
      return input instanceof vscode.TabInputTextDiff ? input : undefined;
    };
    await until('the comparison', () => shown() !== undefined, 30);
    const lines = async (uri: vscode.Uri): Promise<string[]> =>
      (await vscode.workspace.openTextDocument(uri)).getText().split('\n');
    const [before, after] = await Promise.all([lines(shown()!.original), lines(shown()!.modified)]);
    const changed = after.filter((line, i) => line !== before[i]);
    assert.ok(changed.length > 0);
    assert.ok(
      changed.every((line) => /^ {2}(weights|bias) /.test(line)),
      changed.join('\n'),
    );
  });
});

import { strict as assert } from 'node:assert';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import * as vscode from 'vscode';
import { workspacePath } from './fixtures';

describe('the sample project', () => {
  it('is copied whole to a folder, under a name that is free, without what belongs to its making', async () => {
    mkdirSync(workspacePath('samples'), { recursive: true });
    const parent = vscode.Uri.file(workspacePath('samples'));
    for (const name of ['quantmcu-sample', 'quantmcu-sample-2']) {
      const folder = await vscode.commands.executeCommand<vscode.Uri>('quantmcu.openSample', parent, false);
      assert.equal(folder.fsPath, workspacePath('samples', name));
      assert.deepEqual(readdirSync(folder.fsPath).sort(), [
        '.vscode',
        'README.md',
        'firmware',
        'fresh',
        'gauge.onnx',
        'images',
        'labels.txt',
      ]);
      for (const file of [
        'images/labels.csv',
        'firmware/CMakeLists.txt',
        'firmware/src/main.c',
        'firmware/board/startup.c',
      ])
        assert.ok(existsSync(workspacePath('samples', name, file)), file);
      assert.ok(!existsSync(workspacePath('samples', name, 'firmware/lib')));
    }
  });
});

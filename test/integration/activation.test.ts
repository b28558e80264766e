import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';

describe('activation', () => {
  it('is not activated by starting VS Code', () => {
    const extension = vscode.extensions.getExtension('quantmcu.quantmcu');
    assert.ok(extension, 'the extension is not installed');
    assert.equal(extension.isActive, false);
  });
});

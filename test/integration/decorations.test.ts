import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { ModelDecorations } from '../../src/host/decorations';
import { smallModel, until, workspacePath } from './fixtures';

describe('marks of models in the explorer', () => {
  it('tell quantized, changed since, and neither apart', async () => {
    mkdirSync(workspacePath('marks'), { recursive: true });
    const uri = vscode.Uri.file(workspacePath('marks', 'net.onnx'));
    const plan = workspacePath('marks', 'net.quantmcu.json');
    const bytes = smallModel();
    const decorations = new ModelDecorations();
    let changes = 0;
    decorations.onDidChangeFileDecorations(() => changes++);
    const badge = async (): Promise<string | undefined> => (await decorations.provideFileDecoration(uri))?.badge;
    writeFileSync(uri.fsPath, bytes);
    assert.equal(await badge(), undefined);
    writeFileSync(plan, JSON.stringify({ model: { sha256: createHash('sha256').update(bytes).digest('hex') } }));
    assert.equal(await badge(), 'Q');
    await until('the plan to be noticed', () => changes > 0);
    writeFileSync(uri.fsPath, Buffer.concat([bytes, Buffer.from([0])]));
    assert.equal(await badge(), '!');
    writeFileSync(plan, 'no plan');
    assert.equal(await badge(), undefined);
    rmSync(plan);
    assert.equal(await badge(), undefined);
    assert.equal(await decorations.provideFileDecoration(vscode.Uri.file(workspacePath('notes.txt'))), undefined);
    decorations.dispose();
  });
});

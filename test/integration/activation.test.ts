import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';

interface Manifest {
  contributes: {
    commands: { command: string }[];
    configuration: { properties: Record<string, { default: unknown; markdownDescription?: string }> };
  };
}

describe('activation', () => {
  const extension = (): vscode.Extension<unknown> => vscode.extensions.getExtension('quantmcu.quantmcu')!;

  it('does not happen by starting VS Code', () => {
    assert.equal(extension().isActive, false);
  });

  it('happens with the first command and registers all of them', async () => {
    await vscode.commands.executeCommand('quantmcu.cancel');
    assert.equal(extension().isActive, true);
    const registered = await vscode.commands.getCommands(true);
    const { contributes } = extension().packageJSON as Manifest;
    for (const { command } of contributes.commands)
      assert.ok(registered.includes(command), `${command} is not registered`);
  });

  it('describes every setting', () => {
    const { contributes } = extension().packageJSON as Manifest;
    for (const [name, { markdownDescription }] of Object.entries(contributes.configuration.properties))
      assert.ok(markdownDescription, `${name} has no description`);
  });
});

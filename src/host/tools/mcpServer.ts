import * as vscode from 'vscode';

/**
 * Offers the command line's MCP server to agents in this window: the same tools as `quantmcu mcp`. Only in a trusted
 * workspace, because they write files and run compilers.
 * @param cli absolute path of the bundled command line
 */
export function registerMcpServer(cli: string, version: string): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  return vscode.Disposable.from(
    changed,
    vscode.workspace.onDidGrantWorkspaceTrust(() => changed.fire()),
    vscode.lm.registerMcpServerDefinitionProvider('quantmcu.cli', {
      onDidChangeMcpServerDefinitions: changed.event,
      provideMcpServerDefinitions: () =>
        vscode.workspace.isTrusted
          ? [
              new vscode.McpStdioServerDefinition(
                'QuantMCU',
                process.execPath,
                [cli, 'mcp'],
                { ELECTRON_RUN_AS_NODE: '1' },
                version,
              ),
            ]
          : [],
    }),
  );
}

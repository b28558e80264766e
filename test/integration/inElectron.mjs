import { runTests } from '@vscode/test-electron';
import path from 'node:path';

/**
 * Runs the suite in desktop VS Code: the one that VSCODE_PATH names, or one that is downloaded.
 * @param {{extension: string, entry: string, workspace: string, out: string, environment: Record<string, string>}}
 *   options
 */
export async function runInElectron({ extension, entry, workspace, out, environment }) {
  try {
    const code = await runTests({
      vscodeExecutablePath: process.env.VSCODE_PATH,
      extensionDevelopmentPath: extension,
      extensionTestsPath: entry,
      extensionTestsEnv: environment,
      launchArgs: [
        workspace,
        '--disable-extensions',
        '--disable-workspace-trust',
        '--user-data-dir',
        path.join(out, 'user-data'),
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ],
    });
    return { code, log: '' };
  } catch (error) {
    return { code: 1, log: String(error) };
  }
}

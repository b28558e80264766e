// A person's clicks in the packaged extension, installed in a real VS Code: `node test/e2e/run.mjs [FILES…] [--grep
// PATTERN] [--vsix FILE] [--theme NAME]`, e.g. `--theme "Default High Contrast"`. Screenshots of what was seen go to
// out/screenshots.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { startCodeServer } from '../support/codeServer.mjs';
import { runSuite } from '../support/mocha.mjs';
import { requireTools } from '../support/tools.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { grep: { type: 'string' }, vsix: { type: 'string' }, theme: { type: 'string' } },
});
const settings = values.theme === undefined ? {} : { 'workbench.colorTheme': values.theme };
const out = path.join(projectRoot, 'out/e2e');
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

if (requireTools(['chromium', 'fonts', 'nativeBuild', 'gcc'])) {
  const vsix = values.vsix ?? path.join(out, 'quantmcu.vsix');
  if (!values.vsix) {
    const { status } = spawnSync(process.execPath, [path.join(projectRoot, 'package.mjs'), '--out', vsix], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status !== 0) throw new Error('The extension could not be packaged.');
  }
  const servers = [];
  for (const trust of [false, true])
    servers.push(
      await startCodeServer({
        folder: path.join(out, trust ? 'code-server-asking' : 'code-server'),
        vsix: path.resolve(vsix),
        trust,
        settings,
      }),
    );
  process.env.QUANTMCU_E2E_URL = servers[0].url;
  process.env.QUANTMCU_E2E_TRUST_URL = servers[1].url;
  process.env.QUANTMCU_E2E_VSIX = path.resolve(vsix);
  try {
    await runSuite('e2e', positionals.length > 0 ? positionals : [path.join(projectRoot, 'test/e2e')], {
      grep: values.grep,
      reporter: 'spec',
      timeout: 600_000,
    });
  } finally {
    for (const server of servers) await server.stop();
  }
}

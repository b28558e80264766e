// From an unknown MobileNetV2 to C in an STM32CubeMX project, in a real VS Code (its server in front of a headless
// Chromium): clicks and seconds, and the processor time of VS Code's server and all that it started.
//
//     node test/bench/firstMinute.mjs [--vsix FILE] [--repeat N]      writes test/bench/firstMinute.md
//
// Needs ../shared/data for the model and the images.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { startCodeServer } from '../support/codeServer.mjs';
import { requireTools } from '../support/tools.mjs';
import { leadOf } from './lead.mjs';

const { values } = parseArgs({ options: { vsix: { type: 'string' }, repeat: { type: 'string', default: '3' } } });
const lead = leadOf('firstMinute.md');
const out = path.join(projectRoot, 'out/bench-first-minute');
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
if (!requireTools(['chromium', 'fonts', 'nativeBuild'])) process.exit(1);

const vsix = values.vsix ?? path.join(out, 'quantmcu.vsix');
if (!values.vsix) {
  const { status } = spawnSync(process.execPath, [path.join(projectRoot, 'package.mjs'), '--out', vsix], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('The extension could not be packaged.');
}
const bundle = await bundleTests('bench-first-minute', [], {
  stdin: { contents: "export * from './test/bench/firstMinute';", resolveDir: projectRoot, loader: 'ts' },
});
const { benchFirstMinute } = createRequire(import.meta.url)(bundle.file);
bundle.remove();
await benchFirstMinute({
  // A server of its own for each run: nothing is warm, nothing is remembered.
  start: (run) => startCodeServer({ folder: path.join(out, `code-server-${run}`), vsix: path.resolve(vsix) }),
  folder: path.join(out, 'workspace'),
  repeat: Number(values.repeat),
  lead,
});

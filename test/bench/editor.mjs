// The editor in a real VS Code (its server in front of a headless Chromium, software rendering): time to the first
// paint, memory of the extension host, frames per second of the graph, and how fast what-ifs answer.
//
//     node test/bench/editor.mjs [--vsix FILE] [--repeat N]      writes test/bench/editor.md
//
// Needs ../shared/data for the 14 MB model and its calibration images.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { startCodeServer } from '../support/codeServer.mjs';
import { requireTools } from '../support/tools.mjs';

const { values } = parseArgs({ options: { vsix: { type: 'string' }, repeat: { type: 'string', default: '3' } } });
const out = path.join(projectRoot, 'out/bench-editor');
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
const bundle = await bundleTests('bench-editor', [], {
  stdin: { contents: "export * from './test/bench/editor';", resolveDir: projectRoot, loader: 'js' },
});
const { benchEditor } = createRequire(import.meta.url)(bundle.file);
bundle.remove();
const server = await startCodeServer({ folder: path.join(out, 'code-server'), vsix: path.resolve(vsix) });
try {
  await benchEditor({
    url: server.url,
    pid: server.pid,
    folder: path.join(out, 'workspace'),
    repeat: Number(values.repeat),
  });
} finally {
  await server.stop();
}

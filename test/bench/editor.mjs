// The editor in a real VS Code (its server in front of a headless Chromium, software rendering): time to the first
// paint, memory of the extension host, frames per second of the graph, and how fast what-ifs answer.
//
//     node test/bench/editor.mjs [--vsix FILE] [--repeat N]      writes test/bench/editor.md
//
// Needs ../shared/data for the 14 MB model and its calibration images.
import path from 'node:path';
import { startCodeServer } from '../support/codeServer.mjs';
import { prepareBench } from './inVsCode.mjs';

const { bench, out, vsix, repeat } = await prepareBench('editor');
const server = await startCodeServer({ folder: path.join(out, 'code-server'), vsix });
try {
  await bench.benchEditor({ url: server.url, pid: server.pid, folder: path.join(out, 'workspace'), repeat });
} finally {
  await server.stop();
}

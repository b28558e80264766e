// From an unknown MobileNetV2 to C in an STM32CubeMX project, in a real VS Code (its server in front of a headless
// Chromium): clicks and seconds, and the processor time of VS Code's server and all that it started.
//
//     node test/bench/firstMinute.mjs [--vsix FILE] [--repeat N]      writes test/bench/firstMinute.md
//
// Needs ../shared/data for the model and the images.
import path from 'node:path';
import { startCodeServer } from '../support/codeServer.mjs';
import { prepareBench } from './inVsCode.mjs';
import { leadOf } from './lead.mjs';

const lead = leadOf('firstMinute.md');
const { bench, out, vsix, repeat } = await prepareBench('firstMinute');
await bench.benchFirstMinute({
  // A server of its own for each run: nothing is warm, nothing is remembered.
  start: (run) => startCodeServer({ folder: path.join(out, `code-server-${run}`), vsix }),
  folder: path.join(out, 'workspace'),
  repeat,
  lead,
});

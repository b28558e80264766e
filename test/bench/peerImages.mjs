// Other libraries in the harness of firmware.mjs: `node test/bench/peerImages.mjs --images DIR` measures the images in
// DIR and adds their rows to firmware-peers.json; `firmware.mjs --write` shows them beside ours. How a library is built
// is its own matter; nothing of it is kept here. What the image of a whole network must be:
// - DIR/PEER/NETWORK.elf, NETWORK a name of firmware.mjs, linked for the M4 with start-up and linker script of
//   test/firmware/board, and the linker's map beside it as NETWORK.elf.map;
// - main() calls one inference of zeros between COUNTING_BEGIN() and COUNTING_END() of test/firmware/counting, prints
//   `stack N`, its bytes on a painted stack, and returns 0;
// - main() is in an object with `driver` in its name, which holds the arena, input and output where the library does
//   not: its RAM counts, its code does not, as with ours. Objects with `board` in their names and the C library do not
//   count at all.
// DIR/PEER/code/CORE.LEVEL.map is the linker's map of an image that calls the library's kernels alone, compiled for a
// core at a level of GCC: that code is told beside ours.
// DIR/PEER/peer.json says where it is from: { library, from, models, arithmetic, compiled }.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../support/bundle.mjs';
import { openCountingBoard } from './countingBoard.mjs';
import { linkedSections } from './linkedSections.mjs';

const { values } = parseArgs({ options: { images: { type: 'string' } } });
if (values.images === undefined || !existsSync(values.images))
  throw new Error('Give a folder of images with --images; the head of peerImages.mjs says what they must be.');
const FIELDS = ['library', 'from', 'models', 'arithmetic', 'compiled'];
const results = path.join(projectRoot, 'test/bench/firmware-peers.json');
const rows = JSON.parse(readFileSync(results, 'utf8'));
const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-peers-'));
try {
  const board = await openCountingBoard(work);
  for (const peer of readdirSync(values.images)) {
    const folder = path.join(values.images, peer);
    const about = JSON.parse(readFileSync(path.join(folder, 'peer.json'), 'utf8'));
    const missing = FIELDS.filter((field) => about[field] === undefined);
    if (missing.length > 0) throw new Error(`${folder}/peer.json does not say ${missing.join(', ')}`);
    const code = path.join(folder, 'code');
    for (const file of existsSync(code) ? readdirSync(code).filter((name) => name.endsWith('.map')) : []) {
      const [core, level] = path.basename(file, '.map').split('.');
      rows[`${peer}/${core}/${level}`] = { ...about, core, level, code: bytesOf(path.join(code, file)).flash };
    }
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.elf'))) {
      const model = path.basename(file, '.elf');
      const row = { ...about, core: 'm4', model, ...measure(board, path.join(folder, file)) };
      rows[`${peer}/m4/${model}`] = row;
      console.log(row);
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
const sorted = Object.fromEntries(Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(results, `${JSON.stringify(sorted, null, 1)}\n`);

/** Bytes of flash, RAM and stack, and instructions of one inference. */
function measure(board, elf) {
  const { output, instructions } = board.count('m4', elf);
  const stack = Number(/stack (\d+)/.exec(output)?.[1]);
  if (!(stack > 0 && instructions > 0)) throw new Error(`${elf} counts nothing: ${output}`);
  return { ...bytesOf(`${elf}.map`), stack, instructions };
}

/** Bytes of flash without the driver's, and of RAM. @param {string} map */
function bytesOf(map) {
  let flash = 0;
  let ram = 0;
  for (const [object, bytes] of linkedSections(map)) {
    const name = object.split('/').at(-1);
    // The C library and the compiler's are the application's.
    if (/^(lib(c|m|g|gcc|stdc\+\+|supc\+\+|nosys)(_nano)?\.a\(|crt)|board/.test(name)) continue;
    if (!name.includes('driver')) flash += bytes.flash;
    ram += bytes.ram;
  }
  return { flash, ram };
}

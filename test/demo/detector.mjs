// A detector from ONNX to a board, from a fresh checkout: quantize, generate C with a camera's reader, build it for an
// emulated Cortex-M4, and read the boxes from its serial line: `npm run demo:detector`. The network finds coloured
// discs and needs no training (test/support/discDetector.ts). Ends with an error where a disc is missed or made up.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { bundleTests, projectRoot } from '../support/bundle.mjs';
import { ensureTools } from '../support/tools.mjs';

const work = path.join(projectRoot, 'out/demo-detector');
const source = path.join(projectRoot, 'test/demo/detector');
const board = path.join(projectRoot, 'media/sample/firmware/board');
const SEEDS = [901, 902, 903, 904];
/** Part of the board: what an STM32F4 with 64 KB of RAM has. */
const [FLASH_BYTES, RAM_BYTES] = [512 * 1024, 64 * 1024];
/** Farther than so many pixels of the camera from its disc, a box is another thing's. */
const NEAR = 8;

const missing = ensureTools(['armGcc', 'newlib', 'qemu']);
if (missing.length > 0) {
  console.error(`The demo runs on an emulated board and needs:\n  ${missing.join('\n  ')}`);
  process.exit(1);
}

/** Runs a command, showing it; ends the demo when it fails. @param {string} command @param {string[]} args */
function run(command, args) {
  const shown = args.map((a) => (path.isAbsolute(a) ? path.relative(projectRoot, a) || '.' : a));
  console.log(`\n$ ${command === process.execPath ? 'node' : command} ${shown.join(' ')}`);
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000 });
  process.stdout.write(stdout ?? '');
  if (status !== 0) {
    console.error(error ? `${command}: ${error.message}` : stderr || `${command} failed.`);
    process.exit(1);
  }
  return stdout;
}
const cli = (/** @type {string[]} */ ...args) =>
  run(process.execPath, [path.join(projectRoot, 'dist/cli.js'), ...args]);

run(process.execPath, [path.join(projectRoot, 'esbuild.mjs')]);
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const bundle = await bundleTests('demo-detector', [], {
  stdin: { contents: "export * from './test/demo/detector/pictures';", resolveDir: projectRoot, loader: 'ts' },
});
const pictures = createRequire(import.meta.url)(bundle.file);
bundle.remove();
const model = path.join(work, 'discs.onnx');
const plan = path.join(work, 'discs.quantmcu.json');
const firmware = path.join(work, 'firmware');
writeFileSync(model, pictures.discModel());
pictures.writeDiscImages(path.join(work, 'images'), 32);
pictures.writeDiscImages(path.join(work, 'fresh'), 32, 500);
writeFileSync(path.join(work, 'head.json'), JSON.stringify(await pictures.discHead(model), null, 1));
mkdirSync(firmware);

const images = ['--images', path.join(work, 'images'), '--preprocess', 'stretch'];
cli('quantize', model, ...images, '--head', path.join(work, 'head.json'), '--target', 'stm32f446', '--out', plan);
cli('evaluate', plan, '--images', path.join(work, 'fresh'));
const size = `${pictures.PICTURE_SIDE}x${pictures.PICTURE_SIDE}`;
cli('generate', plan, '--project', firmware, '--layout', 'plain', '--camera', 'rgb565be', '--camera-size', size);

cpSync(source, firmware, { recursive: true, filter: (file) => !file.endsWith('.ts') });
writeFileSync(path.join(firmware, 'sensor_pictures.c'), pictures.picturesInC(SEEDS));
const files = readdirSync(firmware, { recursive: true, encoding: 'utf8' }).map((file) => path.join(firmware, file));
const folders = new Set(files.filter((file) => file.endsWith('.h')).map((file) => path.dirname(file)));
const elf = path.join(work, 'detector.elf');
run('arm-none-eabi-gcc', [
  ...['-mthumb', '-mcpu=cortex-m4', '-mfpu=fpv4-sp-d16', '-mfloat-abi=hard'],
  ...['-O2', '-std=c99', '-Wall', '-Wextra', '-ffunction-sections', '-fdata-sections', '-nostartfiles'],
  ...['--specs=nano.specs', '--specs=nosys.specs', `-T${path.join(board, 'mps2.ld')}`, '-Wl,--gc-sections'],
  ...['-Wl,--no-warn-rwx-segments', `-Wl,--defsym=RAM_BYTES=${RAM_BYTES}`, `-Wl,--defsym=FLASH_BYTES=${FLASH_BYTES}`],
  ...[...folders, board].map((folder) => `-I${folder}`),
  ...files.filter((file) => file.endsWith('.c')),
  path.join(board, 'startup.c'),
  ...['-o', elf],
]);
run('arm-none-eabi-size', [elf]);
const serial = run('qemu-system-arm', [
  ...['-M', 'mps2-an386', '-display', 'none', '-monitor', 'none', '-serial', 'stdio'],
  ...['-semihosting-config', 'enable=on,target=native', '-kernel', elf],
]);

/** What the serial line said of each picture. */
const found = serial
  .split(/^picture \d+: .*$/m)
  .slice(1)
  .map((text) =>
    [...text.matchAll(/^ {2}(\w+) (-?\d+) (-?\d+) (-?\d+) (-?\d+) \d+ %$/gm)].map(([, label, ...corners]) => {
      const [x1, y1, x2, y2] = corners.map(Number);
      return { label, x: (x1 + x2) / 2, y: (y1 + y2) / 2 };
    }),
  );
SEEDS.forEach((seed, i) => {
  const wanted = pictures.discScene(seed).discs.map((d) => ({
    label: ['red', 'green', 'blue'][d.label],
    x: 2 * d.x,
    y: 2 * d.y,
  }));
  const boxes = found[i] ?? [];
  const seen = wanted.filter((d) => boxes.some((b) => b.label === d.label && Math.hypot(b.x - d.x, b.y - d.y) < NEAR));
  if (seen.length !== wanted.length || boxes.length !== wanted.length) {
    console.error(`Picture ${i}: ${JSON.stringify(boxes)} found where ${JSON.stringify(wanted)} are.`);
    process.exit(1);
  }
});
console.log(`\nAll discs of ${SEEDS.length} pictures were found on the board, and nothing else.`);

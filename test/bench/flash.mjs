// Flash that the product tells against flash that is linked: `npm run build && node test/bench/flash.mjs` writes
// flash.md. A program that runs one inference, less an empty one; needs arm-none-eabi-gcc, and the reference models
// where there are.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { projectRoot } from '../support/bundle.mjs';

const data = process.env.QUANTMCU_SHARED_DATA ?? path.join(projectRoot, '../shared/data');
const work = mkdtempSync(path.join(tmpdir(), 'quantmcu-flash-'));
const flags = '-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard -O3 -ffunction-sections -fdata-sections';
const link = `${flags} -Wl,--gc-sections --specs=nosys.specs --specs=nano.specs`.split(' ');
const sample = path.join(projectRoot, 'media/sample');
const cases = [
  { name: 'sample', model: path.join(sample, 'gauge.onnx'), images: path.join(sample, 'images'), options: [] },
  {
    name: 'sample in 64 KB',
    model: path.join(sample, 'gauge.onnx'),
    images: path.join(sample, 'images'),
    options: ['--sram', '64K'],
  },
  {
    name: 'ResNet-8',
    model: path.join(data, 'models/resnet8_cifar10_mlperf.onnx'),
    images: path.join(data, 'images/cifar10'),
    options: [],
  },
  {
    name: 'VWW',
    model: path.join(data, 'models/vww_mobilenetv1_0.25_96_mlperf.onnx'),
    images: path.join(data, 'images/vww'),
    options: [],
  },
].filter(({ model }) => existsSync(model));

/** @param {string} command @param {string[]} args */
function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  return stdout;
}
const cli = (/** @type {string[]} */ ...args) =>
  run(process.execPath, [path.join(projectRoot, 'dist/cli.js'), ...args]);

/** Bytes of text of a program. @param {string} main @param {string[]} sources @param {string[]} include */
function linked(main, sources, include) {
  const [source, program] = ['main.c', 'main.elf'].map((name) => path.join(work, name));
  writeFileSync(source, main);
  run('arm-none-eabi-gcc', [...link, ...include, source, ...sources, '-o', program]);
  return Number(run('arm-none-eabi-size', [program]).split('\n')[1].trim().split(/\s+/)[0]);
}

const rows = [];
try {
  const empty = linked('int main(void) { return 0; }\n', [], []);
  for (const { name, model, images, options } of cases) {
    const plan = path.join(work, `net.quantmcu.json`);
    rmSync(plan, { force: true });
    cli('quantize', model, '--images', images, '--limit', '32', '--target', 'nano33ble', ...options, '--out', plan);
    for (const optimize of ['size', 'balanced', 'speed']) {
      const project = mkdtempSync(path.join(work, 'project-'));
      cli('generate', plan, '--project', project, '--optimize', optimize);
      const files = readdirSync(project, { recursive: true, encoding: 'utf8' }).map((file) => path.join(project, file));
      const header = files.find((file) =>
        /_FLASH_BYTES \d/.test(file.endsWith('.h') ? readFileSync(file, 'utf8') : ''),
      );
      const text = readFileSync(header ?? '', 'utf8');
      const id = path.basename(header ?? '', '.h');
      const told = Number(/\w+_FLASH_BYTES (\d+)/.exec(text)?.[1]);
      const main =
        `#include "${id}.h"\nstatic ${id.toUpperCase()}_ARENA(arena);\n` +
        `int main(void) { return ${id}_invoke(arena); }\n`;
      const include = [...new Set(files.filter((f) => f.endsWith('.h')).map((f) => `-I${path.dirname(f)}`))];
      const bytes =
        linked(
          main,
          files.filter((f) => f.endsWith('.c')),
          include,
        ) - empty;
      rows.push({ name, optimize, told, bytes, error: (100 * (told - bytes)) / bytes });
      console.log(rows.at(-1));
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
const errors = rows.map(({ error }) => error);
const [least, most] = [Math.min(...errors), Math.max(...errors)];
const within = errors.filter((e) => e >= 0 && e <= 3).length;
writeFileSync(
  path.join(projectRoot, 'test/bench/flash.md'),
  `# Flash told against flash linked

- ${rows.length} images: told is ${least.toFixed(1)} to ${most.toFixed(1)} % above what is linked.
- ${errors.filter((e) => e < 0).length} are told too small; ${within} lie within 3 %.
- Cortex-M4, GCC -O3: a program that runs one inference, less an empty one; \`npm run build && node
  test/bench/flash.mjs\`.

| plan | level | told | linked | told against linked |
| --- | --- | ---: | ---: | ---: |
${rows.map((r) => `| ${r.name} | ${r.optimize} | ${r.told} | ${r.bytes} | ${r.error.toFixed(1)} % |`).join('\n')}
`,
);

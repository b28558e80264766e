// The tables of firmware.md from the rows of firmware.json.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../support/bundle.mjs';

/** Figures of others for the same networks at 8 bits, with where they come from. */
const PUBLISHED = [
  { model: 'ResNet-8', core: 'm4', who: 'ST, published for the same ResNet-8', flash: 133.4 * 1024, ram: 69.7 * 1024 },
];
const PEERS = { 'ResNet-8': 'resnet8_cifar10_mlperf', 'VWW-96': 'vww_mobilenetv1_0.25_96_mlperf' };
Object.assign(PEERS, { 'MobileNetV1 0.25': 'mobilenetv1_0.25_224_imagenet', MobileNetV2: 'mobilenetv2_1.0_224_tv' });

const peerFile = path.join(projectRoot, 'test/bench/firmware-peers.json');
/** Rows of peerImages.mjs: `code` of a library, or `flash` of a `model`. */
const measured = existsSync(peerFile) ? Object.values(JSON.parse(readFileSync(peerFile, 'utf8'))) : [];

const kib = (bytes) => (bytes / 1024).toFixed(1);

/** @param {readonly any[]} rows @param {readonly string[]} models in their order */
export function firmwareReport(rows, models) {
  const peers = readFileSync(path.join(projectRoot, 'test/bench/peers-networks.tsv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
  const cores = ['m4', 'm33', 'm55', 'm3', 'm0plus', 'rv32imac'].filter((core) => rows.some((r) => r.core === core));
  const flash = rows.map((r) => kib(r.code + r.weights + r.tables));
  const others = [tablesOf(rows, models), imagesOf(rows), librariesOf(cores, rows)].join('');
  return `# What a network needs

- Asked: How much flash, RAM and stack do linked networks take?
- Answer: ${Math.min(...flash)} to ${Math.max(...flash)} KiB of flash in ${rows.length} linked images, RAM and stack
  below; sizes are exact: without error.${besideMicro(rows)}
- Command: \`node test/bench/firmware.mjs\`

${rows.length} images, each linked, run on the emulated core and passed by its self-test: GCC -O3,
\`npm run build && node test/bench/firmware.mjs\`. KiB of flash: code (runtime, kernels, steps), weights, tables;
plus what the self-test adds if it is called. RAM is the arena, input and output in it; stack is measured, of one
inference. Instructions for each multiply-accumulate of the network.
${cores.map((core) => tableOf(core, rows, models, peers)).join('')}${others}`;
}

/** What tables take of the weights, and what a channel's may take at most for 5 %. */
function tablesOf(rows, models) {
  const lines = models.flatMap((model) => {
    const row = rows.find((r) => r.model === model && r.bits === '8' && r.optimize === 'balanced' && r.channels > 0);
    if (!row) return [];
    const { weights, tables, channels } = row;
    const cells = [`${((100 * tables) / weights).toFixed(1)} %`, (weights / channels).toFixed(0)];
    cells.push((tables / channels).toFixed(1), ((0.05 * weights) / channels).toFixed(1));
    return [`| ${[model, ...cells].join(' | ')} |\n`];
  });
  if (lines.length === 0) return '';
  return `
## Tables

Every output channel of a convolution has a bias and a multiplier of 32 bits: 8 bytes, nearly all that tables take.
Depthwise channels have 9 weights of their own. Where 5 % of the weights are fewer than 4 bytes a channel, not even the
biases alone would keep to them. At 8 bits, balanced:

| network | tables, of weights | weights a channel | bytes of tables a channel | at 5 % of the weights |
| --- | ---: | ---: | ---: | ---: |
${lines.join('')}`;
}

/** Rows of ours at 8 bits beside whole networks of others, with what ours take of theirs. */
function ratiosOf(rows) {
  return measured
    .filter(({ model }) => model !== undefined)
    .flatMap((theirs) =>
      rows
        .filter((r) => r.core === theirs.core && r.model === theirs.model && r.bits === '8')
        .sort((a, b) => place(a) - place(b))
        .map((ours) => ({
          theirs,
          ours,
          flash: (ours.code + ours.weights + ours.tables) / theirs.flash,
          ram: ours.ram / theirs.ram,
          instructions: ours.instructions / theirs.instructions,
        })),
    );
}

/** What ours take of TensorFlow Lite Micro's flash and RAM. */
function besideMicro(rows) {
  const found = ratiosOf(rows).filter(({ theirs }) => theirs.library.startsWith('TensorFlow Lite Micro'));
  if (found.length === 0) return '';
  const span = (key) => {
    const values = found.map((row) => row[key]);
    return `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;
  };
  return `
  At 8 bits on the M4, flash is ${span('flash')} and RAM ${span('ram')} of TensorFlow Lite Micro's.`;
}

/** Where the images of other libraries come from, and how ours compare. */
function imagesOf(rows) {
  const images = measured.filter(({ model }) => model !== undefined);
  if (images.length === 0) return '';
  const found = [...new Map(images.map((p) => [p.library, p])).values()].map(
    ({ library, from, models, arithmetic, compiled }) =>
      `| _${library}_ | ${arithmetic} | ${from.join(', ')} | ${models} | ${compiled} |`,
  );
  const lines = ratiosOf(rows).map(({ theirs, ours, flash, ram, instructions }) => {
    const ratios = [flash, ram, instructions].map((ratio) => ratio.toFixed(2)).join(' | ');
    return `| ${ours.model} | ${ours.optimize} | _${theirs.library}, ${theirs.arithmetic}_ | ${ratios} |`;
  });
  return `
## Compared with whole networks of other libraries

Ours at 8 bits divided by theirs on the M4: less than 1 is less than theirs. Flash is all that the linker kept of the
library and model, without the C library and the application's own code; RAM is the arena or what is allocated
statically. \`node test/bench/peerImages.mjs --images DIR\`; its head says what DIR holds.

| library | arithmetic | from | models | built with GCC |
| --- | --- | --- | --- | --- |
${found.join('\n')}

| network | ours | theirs | flash | RAM | instructions |
| --- | --- | --- | ---: | ---: | ---: |
${lines.join('\n')}
`;
}

/** Code of other libraries beside the largest of ours. */
function librariesOf(cores, rows) {
  const found = measured.filter(({ core, code }) => cores.includes(core) && code !== undefined);
  if (found.length === 0) return '';
  const lines = cores.flatMap((core) => [
    ...['size', 'balanced', 'speed'].flatMap((optimize) => {
      const own = rows.filter(
        (r) => r.core === core && r.optimize === optimize && r.bits === '8' && r.model !== 'sample',
      );
      const sizes = own.map(({ code }) => code);
      return own.length === 0
        ? []
        : [
            `| ${core} | ours, ${optimize}, ${own.length} networks | ` +
              `${kib(Math.min(...sizes))} to ${kib(Math.max(...sizes))} |`,
          ];
    }),
    ...found.filter((p) => p.core === core).map((p) => `| ${core} | _${p.library}, GCC ${p.level}_ | ${kib(p.code)} |`),
  ]);
  return `
## Code size compared with other libraries

KiB of code at 8 bits. Ours: runtime, kernels made for layers, the steps and their parameters. Others: the kernels alone
for convolution, depthwise and fully connected layers, pooling, addition and softmax, without an interpreter or the code
that calls them; \`node test/bench/peerImages.mjs --images DIR\`.

| core | code of | KiB |
| --- | --- | ---: |
${lines.join('\n')}
`;
}

function tableOf(core, rows, models, peers) {
  const lines = models.flatMap((model) => {
    const own = rows
      .filter((r) => r.core === core && r.model === model)
      .sort((a, b) => place(a) - place(b))
      .map((r) => {
        const flash = r.code + r.weights + r.tables;
        const cells = [flash, r.code, r.weights, r.tables].map(kib).join(' | ');
        const speed = (r.instructions / r.macs).toFixed(2);
        const bits = r.bits === 'default' ? 'default' : `${r.bits} bits`;
        const plan = `${model} | ${bits}, ${r.optimize}`;
        return `| ${plan} | ${cells} | ${r.selftest} | ${kib(r.ram)} | ${r.stack} | ${speed} |`;
      });
    const others = PUBLISHED.filter((p) => p.core === core && p.model === model).map(
      (p) => `| ${model} | _${p.who}_ | ${kib(p.flash)} | | | | | ${kib(p.ram)} | | |`,
    );
    const counted = peers
      .filter(([peerCore, network]) => peerCore === core && network === PEERS[model])
      .map(([, , who, speed]) => `| ${model} | _${who}, 8 bits_ | | | | | | | | ${Number(speed).toFixed(2)} |`);
    const { macs } = rows.find((r) => r.model === model) ?? {};
    const images = measured
      .filter((p) => p.core === core && p.model === model)
      .map((p) => {
        const speed = (p.instructions / macs).toFixed(2);
        const cells = `${kib(p.flash)} | | | | | ${kib(p.ram)} | ${p.stack} | ${speed}`;
        return `| ${model} | _${p.library}, ${p.arithmetic}_ | ${cells} |`;
      });
    return own.length === 0 ? [] : [...own, ...others, ...counted, ...images];
  });
  return `
## ${core}

| network | plan | flash | code | weights | tables | self-test, bytes | RAM | stack, bytes | instructions |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${lines.join('\n')}
`;
}

function place({ bits, optimize }) {
  return (bits === 'default' ? 3 : 0) + ['size', 'balanced', 'speed'].indexOf(optimize);
}

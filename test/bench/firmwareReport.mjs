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
  return `# What a network needs

- Asked: How much flash, RAM and stack do linked networks take?
- Answer: ${Math.min(...flash)} to ${Math.max(...flash)} KiB of flash in ${rows.length} linked images, RAM and stack
  below; sizes are exact: without error.
- Command: \`node test/bench/firmware.mjs\`

${rows.length} images, each linked, run on the emulated core and passed by its self-test: GCC -O3,
\`npm run build && node test/bench/firmware.mjs\`. KiB of flash: code (runtime, kernels, steps), weights, tables;
plus what the self-test adds if it is called. RAM is the arena, input and output in it; stack is measured, of one
inference. Instructions for each multiply-accumulate of the network.
${cores.map((core) => tableOf(core, rows, models, peers)).join('')}${librariesOf(cores, rows)}`;
}

/** Code of other libraries, from peers.mjs, beside the largest of ours. */
function librariesOf(cores, rows) {
  const file = path.join(projectRoot, 'test/bench/firmware-peers.json');
  if (!existsSync(file)) return '';
  const found = Object.values(JSON.parse(readFileSync(file, 'utf8'))).filter(({ core }) => cores.includes(core));
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
    ...found
      .filter((p) => p.core === core)
      .map((p) => `| ${core} | _${`${p.library} ${p.revision}`.trim()}, GCC ${p.level}_ | ${kib(p.code)} |`),
  ]);
  return `
## Code size compared with other libraries

KiB of code at 8 bits. Ours: runtime, kernels made for layers, the steps and their parameters. Others: the kernels alone
for convolution, depthwise and fully connected layers, pooling, addition and softmax, without an interpreter or the code
that calls them; \`node test/bench/peers.mjs --cmsis-nn DIR\`, DIR a checkout of github.com/ARM-software/CMSIS-NN.

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
    return own.length === 0 ? [] : [...own, ...others, ...counted];
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

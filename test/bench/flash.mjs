// Flash in two tables of flash.md. `node test/bench/flash.mjs` runs the test that holds told and linked flash together
// (test/firmware/flash.test.ts) and writes its figures; `… --plans [--networks REGEXP] [--images N] [--fresh]` compares
// default plans with 8-bit plans, which are kept in out/bench/flash unless --fresh.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';

const { values } = parseArgs({
  options: {
    plans: { type: 'boolean', default: false },
    networks: { type: 'string', default: '' },
    images: { type: 'string', default: '12' },
    fresh: { type: 'boolean', default: false },
  },
});
const file = path.join(projectRoot, 'test/bench/flash.md');
const PLANS = '## Default plans against 8-bit plans';
const [linkedPart, plansPart = ''] = readFileSync(file, 'utf8').split(PLANS);
if (values.plans) write(linkedPart, await comparePlans());
else write(compareLinked(), plansPart);

function write(linked, plans) {
  writeFileSync(file, plans === '' ? linked : `${linked.trimEnd()}\n\n${PLANS}${plans}`);
}

async function comparePlans() {
  const bundle = await bundleTests('bench-flash', [], {
    stdin: { contents: "export * from './test/bench/flashPlans';", resolveDir: projectRoot, loader: 'ts' },
  });
  const { flashRows, FLASH_BOARD } = createRequire(import.meta.url)(bundle.file);
  bundle.remove();
  const rows = await flashRows(new RegExp(values.networks), Number(values.images), values.fresh);
  if (rows.length === 0) throw new Error(`No network is named like ${values.networks}.`);
  const more = rows.filter(({ planned, eight }) => planned.total > eight.total);
  const parts = ({ weights, tables, code, total }) => [weights, tables, code, total].join(' | ');
  const percent = ({ planned, eight }) => `${(100 * (planned.total / eight.total - 1)).toFixed(1)} %`;
  const rowText = (r) =>
    `| ${r.network} | ${r.optimize} | ${parts(r.planned)} | ${parts(r.eight)} | ${percent(r).replace('-', '−')} |`;
  const which = more.map((r) => `${r.network} at ${r.optimize}`).join(', ');
  return `

- Asked: Does the default plan take more flash than the plan with 8 bits everywhere?
- Answer: of ${rows.length} pairs, ${more.length} ${more.length === 1 ? 'does' : 'do'}${which && `: ${which}`}.
- Command: \`node test/bench/flash.mjs --plans --images ${values.images}\`

Told bytes, for ${FLASH_BOARD} (Cortex-M4, 256 KiB SRAM, 1 MiB flash with a quarter kept back), GCC -O3; plans made on
${values.images} images; the self-test aside. Left the default plan, right \`--bits 8 --weights 8\`.

| network | level | weights | tables | code | total | weights | tables | code | total | against 8 bits |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.map(rowText).join('\n')}
`;
}

function compareLinked() {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(projectRoot, 'test/firmware/run.mjs'), path.join(projectRoot, 'test/firmware/flash.test.ts')],
    { encoding: 'utf8', env: { ...process.env, VERBOSE: '1' } },
  );
  const line = /(\w+) (?:for ([\w-]+)|of 8 bits), (\w+): (\d+) told, (\d+) linked, (-?[\d.]+) %/g;
  const rows = [...stdout.matchAll(line)].map(([, name, core, level, told, linked, above]) => ({
    ...(core ? { name, core } : { name: `${name} of 8 bits`, core: 'cortex-m4' }),
    ...{ level, told, linked, above: Number(above) },
  }));
  if (rows.length === 0) throw new Error(`The test measured nothing: ${stdout}${stderr}`);
  process.exitCode = status ?? 1;
  const above = rows.map((r) => r.above);
  const rowText = (r) => `| ${r.name} | ${r.core} | ${r.level} | ${r.told} | ${r.linked} | ${r.above.toFixed(2)} % |`;
  return `# Reported flash against linked flash

- Asked: How close is the reported flash to what is linked?
- Answer: for ${rows.length} images, the report is ${Math.min(...above)} to ${Math.max(...above)} % above what is
  linked, for ${above.filter((a) => a < 0).length} it is below. Both are exact; a test holds the difference to 0 to 3 %.
- Command: \`node test/bench/flash.mjs\`

A program that runs one inference, less an empty one; GCC -O3, unused sections collected, with what it needs of the C
and compiler's libraries. gauge: the sample with patches and bits by entropy; disc: a small detector; the others: bits
and classes of patches at random, by patches, or 8 bits everywhere, layer by layer.

| plan | core | level | reported | linked | reported above linked |
| --- | --- | --- | ---: | ---: | ---: |
${rows.map(rowText).join('\n')}
`;
}

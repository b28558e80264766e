// Fits the estimate of instructions on a Cortex-M4 (src/engine/cost/kernelCost.ts) to counts, and prints its
// coefficients and errors. `node test/bench/latency.mjs [--write]`: from kernels-m4.tsv (columns of `kernels.mjs
// --cores m4`), packed-m4.tsv and runs-m4.tsv; --write puts the coefficients into kernelCost.ts. `node
// test/bench/latency.mjs --count PLAN…`: counts every run of a layer of these plans first (network.mjs --layers) and
// remakes runs-m4.tsv of them.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
});
const here = path.join(projectRoot, 'test/bench');
const bundle = await bundleTests('bench-latency', [], {
  stdin: { contents: "export * from './test/bench/latency';", resolveDir: projectRoot, loader: 'ts' },
});
const { runShapes, parseRun, parseKernel, parsePacked, estimate, fit, M4_COEFFICIENTS } = createRequire(
  import.meta.url,
)(bundle.file);
bundle.remove();

if (values.count) {
  const runs = new Map();
  for (const plan of positionals) {
    const printed = execFileSync(process.execPath, [path.join(here, 'network.mjs'), plan, '--layers'], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
      .trim()
      .split('\n');
    console.log(printed[0]);
    const shapes = await runShapes(plan);
    const counts = printed.slice(1).map((line) => Number(line.trim().split(/\s+/)[0]));
    if (counts.length !== shapes.length)
      throw new Error(`${plan}: ${counts.length} runs were counted, ${shapes.length} are expected.`);
    shapes.forEach((shape, i) => {
      const known = runs.get(shape) ?? { times: 0, instructions: 0, plans: new Map() };
      known.times++;
      known.instructions += counts[i];
      known.plans.set(plan, (known.plans.get(plan) ?? 0) + 1);
      runs.set(shape, known);
    });
  }
  const names = positionals.map((plan) => path.basename(plan).split('.')[0]);
  const rows = [...runs].map(([shape, { times, instructions, plans }]) =>
    [shape, times, Math.round(instructions / times), positionals.map((plan) => plans.get(plan) ?? 0).join(' ')].join(
      '\t',
    ),
  );
  writeFileSync(path.join(here, 'runs-m4.tsv'), `calls\ttimes\tinstructions\t${names.join(' ')}\n${rows.join('\n')}\n`);
}

const rowsOf = (file) => readFileSync(path.join(here, file), 'utf8').trim().split('\n');
const [header, ...runRows] = rowsOf('runs-m4.tsv');
const sets = [
  {
    name: 'kernels',
    counted: rowsOf('kernels-m4.tsv')
      .slice(1)
      .flatMap((row) => parseKernel(row) ?? []),
  },
  { name: 'packed', counted: rowsOf('packed-m4.tsv').slice(1).map(parsePacked) },
  { name: 'runs', counted: runRows.map(parseRun) },
];
const coefficients = fit(sets.map(({ counted }) => counted));
console.log(
  Object.entries(coefficients)
    .map(
      ([name, value]) => `${name}: ${value}${value === M4_COEFFICIENTS[name] ? '' : ` (was ${M4_COEFFICIENTS[name]})`}`,
    )
    .join('\n'),
);
for (const { name, counted } of sets) {
  const errors = counted
    .map((c) => ({ c, error: estimate(c, coefficients) / c.instructions - 1, share: c.instructions * c.times }))
    .sort((a, b) => Math.abs(b.error) - Math.abs(a.error));
  const total = errors.reduce((sum, { share }) => sum + share, 0);
  const mean = errors.reduce((sum, { error, share }) => sum + Math.abs(error) * share, 0) / total;
  console.log(`\n${name}: mean error ${(100 * mean).toFixed(1)} % by instructions, largest:`);
  for (const { c, error } of errors.slice(0, 8))
    console.log(`  ${(100 * error).toFixed(1).padStart(6)} %  of ${c.instructions}: ${c.name.slice(0, 140)}`);
}
// The plans as a whole: how often each run occurs in each of them.
const plans = header.split('\t')[3].split(' ');
console.log('\nwhole plans:');
plans.forEach((plan, p) => {
  const sums = runRows.reduce(
    ({ counted, estimated }, row) => {
      const times = Number(row.split('\t')[3].split(' ')[p]);
      const run = parseRun(row);
      return {
        counted: counted + times * run.instructions,
        estimated: estimated + times * estimate(run, coefficients),
      };
    },
    { counted: 0, estimated: 0 },
  );
  console.log(
    `  ${plan}: ${sums.counted} counted, ${Math.round(sums.estimated)} estimated, ` +
      `${(100 * (sums.estimated / sums.counted - 1)).toFixed(1)} %`,
  );
});
if (values.write) {
  const file = path.join(projectRoot, 'src/engine/cost/kernelCost.ts');
  const source = readFileSync(file, 'utf8');
  const written = source.replace(/(M4_COEFFICIENTS = \{)[^}]*(\};)/, (_, open, close) => {
    const entries = Object.entries(coefficients).map(([name, value]) => `${name}: ${value}`);
    const lines = Array.from(
      { length: Math.ceil(entries.length / 6) },
      (_l, i) => `  ${entries.slice(6 * i, 6 * i + 6).join(', ')},`,
    );
    return `${open}\n${lines.join('\n')}\n${close}`;
  });
  writeFileSync(file, written);
}

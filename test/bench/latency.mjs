// Fits the estimate of instructions on a core (src/engine/cost/coreCosts.ts) to counts, and prints its coefficients and
// errors. `node test/bench/latency.mjs [--core m4] [--write]`: from runs-CORE.tsv, kernels-CORE.tsv (`kernels.mjs
// --tsv`) and, of the M4, packed-m4.tsv; --write puts the coefficients into coreCosts.ts. `… --core CORE --count
// PLAN…`: counts every run of a layer of these plans first (network.mjs --layers-only) and remakes runs-CORE.tsv of
// them; PLAN=FILE takes what that command printed from a file. `… --table` prints the errors of all cores (latency.md).
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    core: { type: 'string', default: 'm4' },
    count: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
  },
});
const here = path.join(projectRoot, 'test/bench');
const bundle = await bundleTests('bench-latency', [], {
  stdin: { contents: "export * from './test/bench/latency';", resolveDir: projectRoot, loader: 'ts' },
});
const { runShapes, parseRun, parseKernel, parsePacked, estimate, fit, CORE_COSTS } = createRequire(import.meta.url)(
  bundle.file,
);
bundle.remove();

const nameOf = (core) => (core === 'rv32imac' ? 'riscv32' : `cortex-${core}`);
const rowsOf = (file) => readFileSync(path.join(here, file), 'utf8').trim().split('\n');

if (values.count) await count(values.core, positionals);
if (values.table) table();
else report(values.core);

/** Counts the runs of plans and writes runs-CORE.tsv. */
async function count(core, plans) {
  const runs = new Map();
  for (const given of plans) {
    const [plan, file] = given.split('=');
    const printed = (
      file
        ? readFileSync(file, 'utf8')
        : execFileSync(process.execPath, [path.join(here, 'network.mjs'), plan, '--layers-only', '--cores', core], {
            encoding: 'utf8',
            maxBuffer: 1 << 26,
          })
    )
      .trim()
      .split('\n');
    const shapes = await runShapes(plan, nameOf(core));
    const counts = printed.slice(1).map((line) => line.trim().split(/\s+/, 2).map(Number));
    if (counts.length !== shapes.length)
      throw new Error(`${plan}: ${counts.length} runs were counted, ${shapes.length} are expected.`);
    shapes.forEach((shape, i) => {
      const known = runs.get(shape) ?? { times: 0, instructions: 0, cycles: 0, plans: new Map() };
      known.times++;
      known.instructions += counts[i][0];
      known.cycles += counts[i][1];
      known.plans.set(given, (known.plans.get(given) ?? 0) + 1);
      runs.set(shape, known);
    });
  }
  const names = plans.map((plan) => path.basename(plan.split('=')[0]).split('.')[0]);
  const rows = [...runs].map(([shape, { times, instructions, cycles, plans: of }]) =>
    [
      shape,
      times,
      Math.round(instructions / times),
      plans.map((plan) => of.get(plan) ?? 0).join(' '),
      Number.isNaN(cycles) ? '' : Math.round(cycles / times),
    ].join('\t'),
  );
  writeFileSync(
    path.join(here, `runs-${core}.tsv`),
    `calls\ttimes\tinstructions\t${names.join(' ')}\tcycles\n${rows.join('\n')}\n`,
  );
}

/** What was counted on a core. */
function setsOf(core) {
  const costs = CORE_COSTS[nameOf(core)];
  // The M55 takes unsigned codes, which networks have after ReLU, in more instructions than the bench's signed ones.
  const kernels =
    core !== 'm55' && existsSync(path.join(here, `kernels-${core}.tsv`))
      ? rowsOf(`kernels-${core}.tsv`)
          .slice(1)
          .flatMap((row) => parseKernel(row, costs) ?? [])
      : [];
  return [
    { name: 'kernels', counted: kernels },
    { name: 'packed', counted: core === 'm4' ? rowsOf('packed-m4.tsv').slice(1).map(parsePacked) : [] },
    { name: 'runs', counted: rowsOf(`runs-${core}.tsv`).slice(1).map(parseRun) },
    { name: 'plans', counted: wholePlans(core) },
  ].filter(({ counted }) => counted.length > 0);
}

/** Whole plans as counts of their own, so that errors of their layers do not add up. */
function wholePlans(core) {
  const [header, ...rows] = rowsOf(`runs-${core}.tsv`);
  return header
    .split('\t')[3]
    .split(' ')
    .map((plan, p) => {
      const runs = rows.map((row) => ({ ...parseRun(row), times: Number(row.split('\t')[3].split(' ')[p]) }));
      return {
        name: plan,
        calls: runs.flatMap(({ calls, times }) => Array.from({ length: times }, () => calls).flat()),
        instructions: runs.reduce((sum, { instructions, times }) => sum + instructions * times, 0),
        times: 1,
      };
    });
}

/** Sums of whole plans: counted and estimated instructions, and counted cycles where there is a model of them. */
function plansOf(core, costs) {
  const [header, ...rows] = rowsOf(`runs-${core}.tsv`);
  return header
    .split('\t')[3]
    .split(' ')
    .map((plan, p) => {
      const sums = { plan, counted: 0, estimated: 0, cycles: 0 };
      for (const row of rows) {
        const columns = row.split('\t');
        const times = Number(columns[3].split(' ')[p]);
        const run = parseRun(row);
        sums.counted += times * run.instructions;
        sums.estimated += times * estimate(run, costs);
        sums.cycles += times * Number(columns[4] || NaN);
      }
      return sums;
    });
}

function errorsOf(counted, costs) {
  return counted
    .map((c) => ({ c, error: estimate(c, costs) / c.instructions - 1, share: c.instructions * c.times }))
    .sort((a, b) => Math.abs(b.error) - Math.abs(a.error));
}

function report(core) {
  const now = CORE_COSTS[nameOf(core)];
  const sets = setsOf(core);
  const coefficients = fit(
    // Whole plans weigh as much as four other sets: they are what is told.
    sets.flatMap(({ name, counted }) => Array.from({ length: name === 'plans' ? 4 : 1 }, () => counted)),
    now,
  );
  const costs = { ...now, coefficients };
  console.log(
    Object.entries(coefficients)
      .map(
        ([name, value]) =>
          `${name}: ${value}${value === now.coefficients[name] ? '' : ` (was ${now.coefficients[name]})`}`,
      )
      .join('\n'),
  );
  for (const { name, counted } of sets) {
    const errors = errorsOf(counted, costs);
    const total = errors.reduce((sum, { share }) => sum + share, 0);
    const mean = errors.reduce((sum, { error, share }) => sum + Math.abs(error) * share, 0) / total;
    console.log(`\n${name}: mean error ${(100 * mean).toFixed(1)} % by instructions, largest:`);
    for (const { c, error } of errors.slice(0, 8))
      console.log(`  ${(100 * error).toFixed(1).padStart(6)} %  of ${c.instructions}: ${c.name.slice(0, 140)}`);
  }
  console.log('\nwhole plans:');
  for (const { plan, counted, estimated, cycles } of plansOf(core, costs))
    console.log(
      `  ${plan}: ${counted} counted, ${Math.round(estimated)} estimated, ` +
        `${(100 * (estimated / counted - 1)).toFixed(1)} %` +
        `${Number.isNaN(cycles) ? '' : `, ${(cycles / counted).toFixed(3)} cycles per instruction`}`,
    );
  if (values.write) write(core, coefficients);
}

function write(core, coefficients) {
  const file = path.join(projectRoot, 'src/engine/cost/coreCosts.ts');
  const name = core === 'rv32imac' ? 'RV32' : core.toUpperCase();
  const source = readFileSync(file, 'utf8');
  const entries = Object.entries(coefficients).map(([key, value]) => `  ${key}: ${value},`);
  writeFileSync(
    file,
    source.replace(
      new RegExp(`(${name}_COEFFICIENTS(?:: Coefficients)? = \\{)[^}]*(\\};)`),
      (_, open, close) => `${open}\n${entries.join('\n')}\n${close}`,
    ),
  );
}

/** The errors of the coefficients as they stand, for latency.md. */
function table() {
  console.log(
    '| Core | plans | largest error of a plan | runs of layers | mean error by instructions | within 20 % | ' +
      'cycles per instruction |\n' +
      '|---|---:|---:|---:|---:|---:|---:|',
  );
  for (const core of ['m0plus', 'm3', 'm4', 'm33', 'm55', 'rv32imac']) {
    if (!existsSync(path.join(here, `runs-${core}.tsv`))) continue;
    const costs = CORE_COSTS[nameOf(core)];
    const errors = errorsOf(rowsOf(`runs-${core}.tsv`).slice(1).map(parseRun), costs);
    const total = errors.reduce((sum, { share }) => sum + share, 0);
    const mean = errors.reduce((sum, { error, share }) => sum + Math.abs(error) * share, 0) / total;
    const near = errors.reduce((sum, { error, share }) => sum + (Math.abs(error) <= 0.2 ? share : 0), 0) / total;
    const plans = plansOf(core, costs);
    const worst = Math.max(...plans.map(({ counted, estimated }) => Math.abs(estimated / counted - 1)));
    const cpi = plans.map(({ counted, cycles }) => cycles / counted).filter((value) => !Number.isNaN(value));
    console.log(
      `| ${core} | ${plans.length} | ${(100 * worst).toFixed(1)} % | ${errors.length} | ` +
        `${(100 * mean).toFixed(1)} % | ` +
        `${(100 * near).toFixed(0)} % | ` +
        `${cpi.length > 0 ? `${Math.min(...cpi).toFixed(2)} to ${Math.max(...cpi).toFixed(2)}` : ''} |`,
    );
  }
}

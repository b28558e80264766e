// Fits the estimate of instructions on a core (src/engine/cost/coefficients.ts, plainCoefficients.ts) to counts, and
// prints its coefficients and errors. `node test/bench/latency.mjs [--core m4] [--write]`: from shapes-CORE.tsv
// (shapes.mjs), kernels-CORE.tsv (`kernels.mjs --tsv`), of runs-CORE.tsv the plans of networks that are not held out
// and, of the M4, packed-m4.tsv; --write puts the coefficients there. `… --core CORE --count [--held-out] PLAN…`:
// counts every run of a layer of these plans first (network.mjs --layers-only) and remakes runs-CORE.tsv, or
// networks-CORE.tsv, of them; PLAN=FILE takes what that command printed from a file. `… --table` prints the errors of
// all cores (latency.md), --worst N so many layers.
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
    'held-out': { type: 'boolean', default: false },
    worst: { type: 'string', default: '12' },
    table: { type: 'boolean', default: false },
  },
});
const here = path.join(projectRoot, 'test/bench');
const bundle = await bundleTests('bench-latency', [], {
  stdin: { contents: "export * from './test/bench/latency';", resolveDir: projectRoot, loader: 'js' },
});
const { runShapes, countedPlans, sumsOf, parseRun, parseKernel, parsePacked, estimate, fit, CORE_COSTS } =
  createRequire(import.meta.url)(bundle.file);
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
    path.join(here, `${values['held-out'] ? 'networks' : 'runs'}-${core}.tsv`),
    `calls\ttimes\tinstructions\t${names.join(' ')}\tcycles\n${rows.join('\n')}\n`,
  );
}

/** What is fitted to on a core. */
function setsOf(core) {
  const costs = CORE_COSTS[nameOf(core)];
  // The M55 takes unsigned codes, which networks have after ReLU, in more instructions than the bench's signed ones.
  const kernels =
    core !== 'm55' && existsSync(path.join(here, `kernels-${core}.tsv`))
      ? rowsOf(`kernels-${core}.tsv`)
          .slice(1)
          .flatMap((row) => parseKernel(row, costs) ?? [])
      : [];
  const plans = countedPlans(core).filter(({ isHeldOut }) => !isHeldOut);
  const shapes = existsSync(path.join(here, `shapes-${core}.tsv`)) ? rowsOf(`shapes-${core}.tsv`).slice(1) : [];
  return [
    // The M4's stand for shapes whose counts are in a table of their own, with a bound (latency.test.ts).
    { name: 'kernels', weight: core === 'm4' ? 10 : 0.5, counted: kernels },
    { name: 'packed', weight: 3, counted: core === 'm4' ? rowsOf('packed-m4.tsv').slice(1).map(parsePacked) : [] },
    { name: 'shapes', weight: 4, counted: shapes.filter((row) => !row.includes(' tables')).map(parseRun) },
    { name: 'runs', weight: 1, counted: plans.flatMap(({ runs }) => runs) },
    // As counts of their own, so that errors of their layers do not add up.
    { name: 'plans', weight: 1, counted: plans.map(whole) },
  ].filter(({ counted }) => counted.length > 0);
}

/** A plan as one count. */
function whole({ plan, runs }) {
  return {
    name: plan,
    calls: runs.flatMap(({ calls, times }) => Array.from({ length: times }, () => calls).flat()),
    instructions: runs.reduce((sum, { instructions, times }) => sum + instructions * times, 0),
    times: 1,
  };
}

function errorsOf(counted, costs) {
  return counted
    .map((c) => ({ c, error: estimate(c, costs) / c.instructions - 1, share: c.instructions * c.times }))
    .sort((a, b) => Math.abs(b.error) - Math.abs(a.error));
}

function report(core) {
  const now = CORE_COSTS[nameOf(core)];
  const sets = setsOf(core);
  const coefficients = fit(sets, now);
  const costs = { ...now, coefficients };
  console.log(
    Object.entries(coefficients)
      .map(
        ([name, value]) =>
          `${name}: ${value}${value === now.coefficients[name] ? '' : ` (was ${now.coefficients[name]})`}`,
      )
      .join('\n'),
  );
  const plans = countedPlans(core);
  const heldOut = plans.filter(({ isHeldOut }) => isHeldOut).flatMap(({ runs }) => runs);
  for (const { name, counted } of [...sets, { name: 'held out', counted: heldOut }]) {
    const errors = errorsOf(counted, costs);
    const total = errors.reduce((sum, { share }) => sum + share, 0);
    const mean = errors.reduce((sum, { error, share }) => sum + Math.abs(error) * share, 0) / total;
    console.log(`\n${name}: mean error ${(100 * mean).toFixed(1)} % by instructions, most by what they miss:`);
    errors.sort((a, b) => Math.abs(b.error * b.share) - Math.abs(a.error * a.share));
    for (const { c, error } of errors.slice(0, Number(values.worst)))
      console.log(
        `  ${(100 * error).toFixed(1).padStart(6)} %  of ${c.instructions} × ${c.times}: ${c.name.slice(0, 140)}`,
      );
  }
  console.log('\nwhole plans:');
  for (const { plan, isHeldOut, counted, estimated, cycles } of plans.map((p) => ({ ...p, ...sumsOf(p, costs) })))
    console.log(
      `  ${plan}${isHeldOut ? ' (held out)' : ''}: ${counted} counted, ${Math.round(estimated)} estimated, ` +
        `${(100 * (estimated / counted - 1)).toFixed(1)} %` +
        `${Number.isNaN(cycles) ? '' : `, ${(cycles / counted).toFixed(3)} cycles per instruction`}`,
    );
  if (values.write) write(core, coefficients);
}

function write(core, coefficients) {
  const name = core === 'rv32imac' ? 'RV32' : core.toUpperCase();
  const entries = Object.entries(coefficients).map(([key, value]) => `  ${key}: ${value},`);
  for (const table of ['coefficients.ts', 'plainCoefficients.ts']) {
    const file = path.join(projectRoot, 'src/engine/cost', table);
    const source = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      source.replace(
        new RegExp(`(${name}_COEFFICIENTS(?:: Coefficients)? = \\{)[^}]*(\\};)`),
        (_, open, close) => `${open}\n${entries.join('\n')}\n${close}`,
      ),
    );
  }
}

/** The errors of the coefficients as they stand, for latency.md. */
function table() {
  console.log(
    '| Core | plans | nothing fitted to them | root mean square | largest | runs of layers within 20 % | ' +
      'cycles per instruction |\n' +
      '|---|---:|---|---:|---:|---:|---:|',
  );
  for (const core of ['m0plus', 'm3', 'm4', 'm33', 'm55', 'rv32imac'])
    for (const isHeldOut of [false, true]) {
      const plans = countedPlans(core).filter((plan) => plan.isHeldOut === isHeldOut);
      if (plans.length === 0) continue;
      const costs = CORE_COSTS[nameOf(core)];
      const errors = errorsOf(
        plans.flatMap(({ runs }) => runs),
        costs,
      );
      const total = errors.reduce((sum, { share }) => sum + share, 0);
      const near = errors.reduce((sum, { error, share }) => sum + (Math.abs(error) <= 0.2 ? share : 0), 0) / total;
      const sums = plans.map((plan) => sumsOf(plan, costs));
      const misses = sums.map(({ counted, estimated }) => Math.abs(estimated / counted - 1));
      const mean = Math.sqrt(misses.reduce((sum, miss) => sum + miss ** 2, 0) / misses.length);
      const worst = Math.max(...misses);
      const cpi = sums.map(({ counted, cycles }) => cycles / counted).filter((value) => !Number.isNaN(value));
      console.log(
        `| ${core} | ${plans.length} | ${isHeldOut ? 'yes' : ''} | ${(100 * mean).toFixed(1)} % | ` +
          `${(100 * worst).toFixed(1)} % (${plans[misses.indexOf(worst)].plan}) | ${(100 * near).toFixed(0)} % | ` +
          `${cpi.length > 0 ? `${Math.min(...cpi).toFixed(2)} to ${Math.max(...cpi).toFixed(2)}` : ''} |`,
      );
    }
}

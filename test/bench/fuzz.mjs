// Mutated models, sidecars and parameter files: node test/bench/fuzz.mjs [INPUTS] [SEED] [PART], 100 000 of each unless
// said otherwise; PART is models, sidecars or parameters. All of them take about twenty minutes. Runs the fuzz tests of
// the suites with that many inputs, keeps what came of each in test/bench/fuzz.json and writes test/bench/fuzz.md from
// it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../support/bundle.mjs';
import { leadOf } from './lead.mjs';

const [inputs = '100000', seed = '20240325', wanted] = process.argv.slice(2);
const report = path.join(projectRoot, 'out/fuzz.jsonl');
const store = path.join(projectRoot, 'test/bench/fuzz.json');
const parts = [
  ['models', 'unit', 'test/unit/onnx/fuzz.test.ts', 'mutated models'],
  ['sidecars', 'faults', 'test/faults/sidecar.test.ts', 'mutated sidecars'],
  ['parameters', 'faults', 'test/faults/sidecar.test.ts', 'mutated parameter files'],
];

const rows = existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {};
const env = { ...process.env, QUANTMCU_FUZZ: inputs, QUANTMCU_FUZZ_SEED: seed, QUANTMCU_FUZZ_REPORT: report };
for (const [part, runner, file, grep] of parts.filter(([name]) => wanted === undefined || name === wanted)) {
  rmSync(report, { force: true });
  const { status } = spawnSync(process.execPath, [`test/${runner}/run.mjs`, file, '--grep', grep], {
    cwd: projectRoot,
    env,
    stdio: 'inherit',
  });
  if (status !== 0 || !existsSync(report))
    throw new Error(`A mutation among ${part} was not answered as it should be: see above.`);
  rows[part] = { ...JSON.parse(readFileSync(report, 'utf8')), seed: Number(seed) };
  writeFileSync(store, `${JSON.stringify(rows, null, 2)}\n`);
}
const known = parts.map(([part]) => rows[part]).filter((row) => row !== undefined);
const text = `# Fuzzing

${leadOf('fuzz.md')}

\`node test/bench/fuzz.mjs\`. Each input is a sound file with one to eight edits; the rule is a result or one clear
line; a crash, a hang or anything else fails the run.

| inputs | number | seed | accepted | refused in one line |
|---|---|---|---|---|
${known.map((row) => `| ${row.what} | ${row.inputs} | ${row.seed} | ${row.accepted} | ${row.refused} |`).join('\n')}
`;
writeFileSync(path.join(projectRoot, 'test/bench/fuzz.md'), text);
console.log(text);

// Mutated models, sidecars and parameter files: node test/bench/fuzz.mjs [INPUTS] [SEED], 100 000 of each unless said otherwise. Takes about half an hour.
// Runs the fuzz tests of the suites with that many inputs and writes test/bench/fuzz.md.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../support/bundle.mjs';

const [inputs = '100000', seed = '20240325'] = process.argv.slice(2);
const report = path.join(projectRoot, 'out/fuzz.jsonl');
rmSync(report, { force: true });
const env = { ...process.env, QUANTMCU_FUZZ: inputs, QUANTMCU_FUZZ_SEED: seed, QUANTMCU_FUZZ_REPORT: report };
let failed = false;
for (const [runner, file] of [['unit', 'test/unit/onnx/fuzz.test.ts'], ['faults', 'test/faults/sidecar.test.ts']]) {
  const { status } = spawnSync(process.execPath, [`test/${runner}/run.mjs`, file, '--grep', 'mutated'], { cwd: projectRoot, env, stdio: 'inherit' });
  failed ||= status !== 0;
}
const rows = existsSync(report) ? readFileSync(report, 'utf8').trim().split('\n').map((line) => JSON.parse(line)) : [];
const text = `# Fuzzing

\`node test/bench/fuzz.mjs ${inputs} ${seed}\`. Each input is a sound file with one to eight edits; the rule is a result or one clear line; a crash, a hang or anything else fails the run.

| inputs | number | accepted | refused in one line |
|---|---|---|---|
${rows.map(({ what, inputs: number, accepted, refused }) => `| ${what} | ${number} | ${accepted} | ${refused} |`).join('\n')}
`;
if (failed || rows.length < 3) throw new Error('A mutation was not answered as it should be: see above. Nothing was written.');
writeFileSync(path.join(projectRoot, 'test/bench/fuzz.md'), text);
console.log(text);

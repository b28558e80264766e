// Flash that the product tells against flash that is linked: `node test/bench/flash.mjs` runs the test that holds the
// two together (test/firmware/flash.test.ts) and writes its figures to flash.md.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../support/bundle.mjs';

const { status, stdout, stderr } = spawnSync(
  process.execPath,
  [path.join(projectRoot, 'test/firmware/run.mjs'), path.join(projectRoot, 'test/firmware/flash.test.ts')],
  { encoding: 'utf8', env: { ...process.env, VERBOSE: '1' } },
);
const rows = [...stdout.matchAll(/(\w+) for ([\w-]+), (\w+): (\d+) told, (\d+) linked, (-?[\d.]+) %/g)].map(
  ([, name, core, level, told, linked, above]) => ({ name, core, level, told, linked, above: Number(above) }),
);
if (rows.length === 0) throw new Error(`The test measured nothing: ${stdout}${stderr}`);
const above = rows.map((r) => r.above);
const rowText = (r) => `| ${r.name} | ${r.core} | ${r.level} | ${r.told} | ${r.linked} | ${r.above.toFixed(2)} % |`;
writeFileSync(
  path.join(projectRoot, 'test/bench/flash.md'),
  `# Flash told against flash linked

- Asked: How near is the flash that people are told to what is linked?
- Answer: ${rows.length} images are told ${Math.min(...above)} to ${Math.max(...above)} % more than is linked;
  ${above.filter((a) => a < 0).length} are told too little. Both are exact; a test holds the difference to 0 to 3 %.
- Command: \`node test/bench/flash.mjs\`

A program that runs one inference, less an empty one; GCC -O3, unused sections collected, with what it needs of the C
and compiler's libraries. gauge: the sample with patches and bits by entropy; the others: bits and classes of patches at
random, by patches.

| plan | core | level | told | linked | told against linked |
| --- | --- | --- | ---: | ---: | ---: |
${rows.map(rowText).join('\n')}
`,
);
process.exitCode = status ?? 1;

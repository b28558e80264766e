// How far the layouts of arenas are from their lower bounds: `node test/bench/arenas.mjs [--models REGEXP] [--budgets
// 512,320]`; the committed table is test/bench/arenas.md.
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '' },
    budgets: { type: 'string', default: '512,320,256,192,128,96,64' },
  },
});
const bundle = await bundleTests('arenas', [], {
  stdin: { contents: "export * from './test/bench/arenas';", resolveDir: projectRoot, loader: 'js' },
});
const { writeGaps } = createRequire(import.meta.url)(bundle.file);
bundle.remove();
const worst = await writeGaps({
  models: new RegExp(values.models),
  budgets: values.budgets.split(',').map(Number),
  write: (line) => console.log(line),
});
console.log(`\nLargest gap: ${worst.toFixed(2)} %`);

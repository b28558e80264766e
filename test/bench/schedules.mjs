// Plans each model for several SRAM budgets and prints, per budget, the plan with the fewest estimated cycles and the
// one with the fewest patches. `node test/bench/schedules.mjs [--models REGEXP] [--budgets 64,128] [--seconds]`; the
// committed table is test/bench/schedules.md.
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { bundleTests, projectRoot } from '../support/bundle.mjs';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '' },
    budgets: { type: 'string', default: '64,96,128,192,256,320,512' },
    seconds: { type: 'boolean', default: false },
  },
});
const bundle = await bundleTests('schedules', [], {
  stdin: { contents: "export * from './test/bench/schedules';", resolveDir: projectRoot, loader: 'js' },
});
const { writeTables } = createRequire(import.meta.url)(bundle.file);
bundle.remove();
await writeTables({
  models: new RegExp(values.models),
  budgets: values.budgets.split(',').map(Number),
  seconds: values.seconds,
  write: (line) => console.log(line),
});

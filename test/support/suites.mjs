// The suites that keep processors busy, and how they are split into parts that processes take turns at.
import path from 'node:path';
import { projectRoot } from './bundle.mjs';
import { partsOf } from './parallel.mjs';
import { ensureTools } from './tools.mjs';

const unitRunner = 'test/unit/run.mjs';

/**
 * `runner`: script that runs one part; `first`: parts that take minutes, the longest first; the others, seconds;
 * `split`: folders whose files are parts each; `optional`: without these tools tests are skipped or take longer;
 * `tools`: without these the suite fails.
 * @type {Record<string, {runner: string, first: string[], split: string[], optional: string[], tools: string[]}>}
 */
const suites = {
  firmware: {
    runner: unitRunner,
    first: [
      'models.test.ts',
      'kernels/specials.test.ts',
      'fieldCases.test.ts',
      'emulator',
      'kernels/boardKernels.test.ts',
      'kernels/kernels.test.ts',
      'generated.test.ts',
      'sample.test.ts',
      'detection.test.ts',
      'kernels/stack.test.ts',
      'layouts/build.test.ts',
    ],
    split: ['kernels', 'layouts'],
    // Without it, equal sources are compiled again and again.
    optional: ['ccache'],
    tools: ['gcc', 'clang', 'sanitizers', 'armGcc', 'newlib', 'qemu', 'cmake', 'riscvGcc', 'picolibc', 'qemuRiscv'],
  },
  faults: {
    runner: 'test/faults/run.mjs',
    first: ['hostileModels.test.ts', 'strangeModels.test.ts'],
    split: [],
    optional: [],
    tools: [],
  },
  unit: { runner: unitRunner, first: ['run', 'sweep', 'worker'], split: ['webview'], optional: ['jpeg'], tools: [] },
};

/** Names of these suites, that with the longest parts first. */
export const busySuites = Object.keys(suites);

/**
 * Sees to the tools of a suite and splits it.
 * @param {string} suite
 * @returns {{runner: string, parts: string[], missing: string[]}} `runner` and `parts`: paths, the parts in the order
 *   in which they are to begin; `missing`: what has to be installed before they can
 */
export function prepareSuite(suite) {
  const { runner, first, split, optional, tools } = suites[suite];
  for (const line of ensureTools(optional)) console.log(`Missing: ${line}`);
  const missing = ensureTools(tools);
  const root = path.join(projectRoot, 'test', suite);
  return { runner: path.join(projectRoot, runner), parts: partsOf(root, { first, split }), missing };
}

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../src/engine/common/errors';
import { asFirmware } from '../support/asFirmware';
import { removeFolder, scratchFolder } from './support/hostBuild';

const field = path.join(process.cwd(), '../shared/cases/field');

/** Those that once were wrong or refused; QUANTMCU_CASES=all takes every one, about 5 s each, others those prefixes. */
const ONCE_WRONG =
  'a08_ a12_ a17b_ a19c_ a22b_ a37_gemm a43_ b01_ b02_ b03_ b05_ b07_ c01_ c03_ c07_ c08_ a23d_ a14_pad_reflect';

/** Noise that 8 bits may have beside onnxruntime, in dB; that of the defaults is 1 % of the outputs' power. */
const EIGHT_BITS = 24;
const DEFAULTS = 19;

/** What became of a network: dB of its outputs, or why it was refused. */
async function outcome(file: string, options: Parameters<typeof asFirmware>[2]): Promise<readonly number[] | string> {
  const folder = scratchFolder('field');
  try {
    return (await asFirmware(file, folder, options)).snr;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw new Error(path.basename(file), { cause: error });
  } finally {
    removeFolder(folder);
  }
}

function isClear(message: string): boolean {
  return /^[^\n]{10,}\.$/.test(message) && !/undefined|NaN of|null/.test(message);
}

describe('networks from the field', function () {
  this.timeout(3_600_000);

  it('behave as their index says', async function () {
    if (!existsSync(field)) {
      console.log('      ../shared/cases/field is not there');
      this.skip();
    }
    const chosen = process.env.QUANTMCU_CASES ?? ONCE_WRONG;
    const rows = readFileSync(path.join(field, 'INDEX.tsv'), 'utf8').trim().split('\n');
    const wrong: string[] = [];
    for (const row of rows) {
      const [name, expected] = row.split('\t');
      if (chosen !== 'all' && !chosen.split(' ').some((prefix) => name.startsWith(prefix))) continue;
      const file = path.join(field, name);
      const eight = await outcome(file, {});
      const defaults =
        process.env.QUANTMCU_CASES && typeof eight !== 'string'
          ? await outcome(file, { bits: undefined, weights: 'auto' })
          : eight;
      if (process.env.VERBOSE) console.log(name, expected, eight, defaults);
      for (const [result, least] of [
        [eight, EIGHT_BITS],
        [defaults, DEFAULTS],
      ] as const) {
        const isRight =
          typeof result === 'string' ? expected !== 'ok' && isClear(result) : result.every((snr) => snr > least);
        if (!isRight) wrong.push(`${name} (${expected}): ${typeof result === 'string' ? result : result.join(', ')}`);
      }
    }
    assert.deepEqual([...new Set(wrong)], []);
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../src/engine/common/errors';
import { asFirmware, type FirmwareOptions } from '../support/asFirmware';
import { needSharedData } from '../support/sharedData';
import { removeFolder, scratchFolder } from './support/hostBuild';

/** Noise that 8 bits may have beside onnxruntime, in dB; that of the defaults is 1 % of the outputs' power. */
const EIGHT_BITS = 24;
const DEFAULTS = 19;
/** onnxruntime refuses it: a value with two definitions. */
const REFUSED = ['input.onnx'];

/** What became of a network: dB of its outputs, or why it was refused. */
async function outcome(file: string, options: FirmwareOptions): Promise<readonly number[] | string> {
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

/** Every case at 8 bits; QUANTMCU_CASES=all at the defaults besides, others only those that begin so. */
describe('networks from the field', function () {
  this.timeout(3_600_000);

  it('behave as their index says', async function () {
    const field = needSharedData(this, '..', 'cases', 'field');
    const prefixes = process.env.QUANTMCU_CASES?.split(' ') ?? ['all'];
    const all = prefixes.includes('all');
    const rows = readFileSync(path.join(field, 'INDEX.tsv'), 'utf8').trim().split('\n');
    const wrong: string[] = [];
    for (const row of rows) {
      const [name, expected] = row.split('\t');
      if (!all && !prefixes.some((prefix) => name.startsWith(prefix))) continue;
      const isOk = expected === 'ok' && !REFUSED.includes(name);
      const file = path.join(field, name);
      const check = async (options: FirmwareOptions, least: number): Promise<boolean> => {
        const result = await outcome(file, options);
        const isRefused = typeof result === 'string';
        if (process.env.VERBOSE) console.log(name, expected, result);
        if (isRefused ? isOk || !isClear(result) : !result.every((snr) => snr > least))
          wrong.push(`${name} (${expected}): ${isRefused ? result : `${result.join(' ')} dB`}`);
        return !isRefused;
      };
      const runs = await check({}, EIGHT_BITS);
      if (runs && process.env.QUANTMCU_CASES) await check({ bits: undefined, weights: 'auto' }, DEFAULTS);
    }
    assert.deepEqual(wrong, []);
  });
});

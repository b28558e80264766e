import assert from 'node:assert/strict';
import { UserError } from '../../src/engine/common/errors';
import { randomNumbers } from '../support/onnxOracle';
import { failureOf } from './fixtures';
import type { Json } from './sidecarDamages';

export async function count(
  counts: { opened: number; refused: number },
  work: Promise<unknown>,
  what: () => string,
): Promise<void> {
  const failure = await failureOf(work);
  if (failure === null) {
    counts.opened++;
    return;
  }
  counts.refused++;
  assert.ok(failure instanceof UserError && !/\n/.test(failure.message), `${what().slice(0, 4000)}\n${failure.stack}`);
}

export function dice(): (n: number) => number {
  const random = randomNumbers(Number(process.env.QUANTMCU_FUZZ_SEED ?? 20240325));
  return (n) => Math.min(n - 1, Math.floor(((random() + 1) / 2) * n));
}

/** One to three edits of characters: replaced, removed, repeated, or a digit made another. */
export function mutateText(text: string, below: (n: number) => number): string {
  for (let edits = 1 + below(3); edits > 0; edits--) {
    const at = below(text.length);
    const length = 1 + below(12);
    const digits = [...text.matchAll(/\d/g)];
    const digit = digits[below(digits.length)]?.index ?? 0;
    text = [
      () => text.slice(0, at) + '{}[]",:0-1eE.\\\u0000tfn'[below(19)] + text.slice(at + 1),
      () => text.slice(0, at) + text.slice(at + length),
      () => text.slice(0, at + length) + text.slice(at),
      () => text.slice(0, digit) + String(below(10)) + text.slice(digit + 1),
      () => text.slice(0, digit) + String(below(10)) + text.slice(digit + 1),
    ][below(5)]();
  }
  return text;
}

const EDGES: readonly unknown[] = [
  0,
  -1,
  1,
  2,
  4,
  8,
  255,
  65536,
  1e9,
  1e300,
  -1e300,
  5e-324,
  2 ** 31,
  2 ** 53,
  0.5,
  '',
  'x',
  '__proto__',
  '../x',
  '.',
  null,
  true,
  [],
  {},
  [8],
  ['O'],
];

/** One to three values anywhere replaced by others, removed, or given another key. */
export function mutateJson(value: Json, below: (n: number) => number): Json {
  for (let edits = 1 + below(3); edits > 0; edits--) {
    const places: [Json, string][] = [];
    const visit = (node: Json): void => {
      for (const key of Object.keys(node)) {
        places.push([node, key]);
        if (typeof node[key] === 'object' && node[key] !== null) visit(node[key] as Json);
      }
    };
    visit(value);
    const [node, key] = places[below(places.length)];
    const other = places[below(places.length)];
    switch (below(4)) {
      case 0:
        if (Array.isArray(node)) node.splice(Number(key), 1);
        else delete node[key];
        break;
      case 1:
        node[key] = structuredClone(other[0][other[1]]) as unknown;
        break;
      default: {
        // A number mostly becomes a number, so that it passes the schema and is used.
        const same = EDGES.filter((e) => typeof e === typeof node[key]);
        const pool = same.length > 0 && below(4) > 0 ? same : EDGES;
        node[key] = structuredClone(pool[below(pool.length)]);
      }
    }
  }
  return value;
}

/** Edits of the header's numbers and names, of bytes anywhere, and cut ends. */
export function mutateParameters(sound: Buffer, below: (n: number) => number): Buffer {
  const length = sound.readUInt32LE(8);
  const payload = Buffer.from(sound.subarray(Math.ceil((12 + length) / 8) * 8));
  let header = sound.toString('utf8', 12, 12 + length);
  switch (below(4)) {
    case 0:
      header = JSON.stringify(mutateJson(JSON.parse(header) as Json, below));
      break;
    case 1:
      header = mutateText(header, below);
      break;
    case 2: {
      const bytes = Buffer.from(sound);
      for (let edits = 1 + below(8); edits > 0; edits--) bytes[below(bytes.length)] = below(256);
      return below(4) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes;
    }
    default:
      for (let edits = 1 + below(8); edits > 0; edits--)
        payload[below(payload.length)] = [0, 1, 0x7f, 0x80, 0xff, below(256)][below(6)];
  }
  const text = Buffer.from(header, 'utf8');
  const start = Math.ceil((12 + text.length) / 8) * 8;
  const result = Buffer.alloc(start + payload.length);
  result.write('QMCUPAR1', 'latin1');
  result.writeUInt32LE(text.length, 8);
  text.copy(result, 12);
  payload.copy(result, start);
  return result;
}

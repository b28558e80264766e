/** Blocks that a network repeats: runs of layers that are built alike and lie behind each other. */
import type { LayerView } from '../../src/protocol/views';

/** Layers first…last, `repeats` blocks of the same structure; 1 where a run is folded that repeats nothing. */
export interface Fold {
  readonly first: number;
  readonly last: number;
  readonly repeats: number;
}

/** Layers of the longest block that is looked for. */
const LONGEST_BLOCK = 512;

/**
 * What makes two layers alike: operator, window, and from how far back each input comes; `exact` also shapes, MACs and
 * parameters. Equal numbers mean equal structure.
 */
export function signatures(layers: readonly LayerView[], exact: boolean): Int32Array {
  const known = new Map<string, number>();
  return Int32Array.from(layers, (layer) => {
    const { h, w, c } = layer.output ?? { h: 0, w: 0, c: 0 };
    const window = exact ? layer.detail : layer.detail.split(' ')[0];
    const size = exact ? [h, w, c, layer.macs, layer.parameters] : [];
    const key = JSON.stringify([layer.kind, layer.operators, window, layer.inputs.map((i) => layer.id - i), ...size]);
    const number = known.get(key) ?? known.size;
    known.set(key, number);
    return number;
  });
}

/**
 * Borders at which a single map is alive: `true` at i where everything from layer i on reads layer i − 1 alone. Blocks
 * begin there rather than in the middle of a branch.
 */
export function singleBorders(layers: readonly LayerView[]): readonly boolean[] {
  const count = layers.length;
  const lastReader = new Int32Array(count).fill(-1);
  for (const { id, inputs } of layers)
    for (const input of inputs) lastReader[input] = Math.max(lastReader[input] ?? -1, id);
  const single = new Array<boolean>(count + 1).fill(true);
  let farthest = -1;
  for (let border = 1; border < count; border++) {
    // Of all layers before the one at the border.
    single[border] = farthest < border;
    farthest = Math.max(farthest, lastReader[border - 1]);
  }
  return single;
}

/**
 * The repeats that hide most layers, none over another. A block's place within its run is not unique (ABABA holds AB
 * twice and BA twice); one that begins at a single border is preferred, then the first.
 */
export function findRepeats(signature: Int32Array, single: readonly boolean[]): Fold[] {
  const found: { readonly fold: Fold; readonly hidden: number; readonly block: number }[] = [];
  const longest = Math.min(LONGEST_BLOCK, signature.length >> 1);
  for (let block = 1; block <= longest; block++) {
    for (let i = 0; i + block < signature.length; i++) {
      let alike = 0;
      while (i + alike + block < signature.length && signature[i + alike] === signature[i + alike + block]) alike++;
      const repeats = Math.floor(alike / block) + 1;
      if (repeats > 1) {
        const spare = alike + block - repeats * block;
        const first = beginning(i, spare, block, repeats, single);
        const layers = repeats * block;
        found.push({ fold: { first, last: first + layers - 1, repeats }, hidden: layers - 1, block });
      }
      i += alike;
    }
  }
  // The shortest block, where several hide as much: AB ten times rather than ABAB five times.
  found.sort((a, b) => b.hidden - a.hidden || a.block - b.block || a.fold.first - b.fold.first);
  const taken = new Uint8Array(signature.length);
  const chosen = found.filter(({ fold: { first, last } }) => {
    // A longer one has been chosen before: if they overlap, it covers an end of this one.
    if (taken[first] !== 0 || taken[last] !== 0) return false;
    taken.fill(1, first, last + 1);
    return true;
  });
  return chosen.map(({ fold }) => fold).sort((a, b) => a.first - b.first);
}

function beginning(first: number, spare: number, block: number, repeats: number, single: readonly boolean[]): number {
  for (let shift = 0; shift <= spare; shift++) {
    if (Array.from({ length: repeats + 1 }).every((_, k) => single[first + shift + k * block])) return first + shift;
  }
  return first;
}

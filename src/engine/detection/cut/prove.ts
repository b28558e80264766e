import type { Graph } from '../../graph/types';
import type { Ending, EndingResult } from '../../onnx/ending';
import { boxAt, forEachScore, type Location } from '../decode';
import type { ResolvedHead } from '../resolve';
import { boxOf, type BoxColumns } from './fitBox';
import type { ScoreGuess } from './fitScore';
import type { FoundLevel } from './probe';
import { product, uniform } from './random';
import { at, type Table } from './tables';

/** What a head is proven on. */
export interface Proof {
  readonly file: string;
  readonly graph: Graph;
  readonly ending: Ending;
  readonly levels: readonly FoundLevel[];
}

/** Reach of the random values, draw by draw: raw values of detectors seldom leave the largest. */
const DRAWS = [4, 1];
/** Rounding of float, as a share of the input's size or of the box. */
const BOX_TOLERANCE = 2e-5;
const SCORE_TOLERANCE = 2e-5;

/** Whether a head's boxes are those of the file's own decoding for random values, at every location. */
export function provesBoxes(proof: Proof, head: ResolvedHead, columns: BoxColumns): boolean {
  const { width, height } = head.input;
  return draws(proof, (results, outputs) => {
    const limit = clampOf(results, columns);
    return everyLocation(proof, head, (location, row) => {
      const expected = boxAt(head, location, outputs);
      const { cx, cy, w, h } = boxOf(results, columns, row);
      const found = [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2];
      const corners = [expected.x1, expected.y1, expected.x2, expected.y2];
      return corners.every((corner, k) => {
        const size = k % 2 === 0 ? width : height;
        const reach = Math.max(size, ...corners.map(Math.abs));
        const wanted = limit === null ? corner : Math.min(Math.max(corner, 0), size);
        return Math.abs(wanted - found[k]) <= BOX_TOLERANCE * reach;
      });
    });
  });
}

/** Whether the file cuts its boxes off at the input's borders: they touch these, and never cross them. */
function clampOf(results: readonly EndingResult[], columns: BoxColumns): true | null {
  const { table, first, order, unit } = columns;
  if (order === 'center') return null;
  const most = unit.width === 1 ? Infinity : 1;
  let [low, high] = [Infinity, -Infinity];
  for (let row = 0; row < table.rows; row++) {
    for (let k = 0; k < 4; k++) {
      const v = at(results, table, row, first + k);
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  return low === 0 && (high === most || most === Infinity) ? true : null;
}

/** Whether a head's scores are those of the file for random values, at every location. */
export function provesScores(proof: Proof, head: ResolvedHead, guess: ScoreGuess, tables: readonly Table[]): boolean {
  return draws(proof, (results, outputs) => {
    const value = (row: number, [table, field]: readonly [number, number]): number =>
      at(results, tables[table], row, field);
    const rows = rowsOf(proof, head);
    let agrees = true;
    forEachScore(head, outputs, -Infinity, (location, scores) => {
      const row = rows(location);
      const factor = guess.objectColumn ? value(row, guess.objectColumn) : 1;
      for (let k = 0; k < scores.length && agrees; k++)
        agrees = Math.abs(factor * value(row, guess.columns[k]) - scores[k]) <= SCORE_TOLERANCE;
    });
    return agrees;
  });
}

/** Calls with the file's results and the graph's outputs, HWC, for the same random values. */
function draws(
  { ending, graph }: Proof,
  agrees: (results: readonly EndingResult[], outputs: readonly Float32Array[]) => boolean,
): boolean {
  return DRAWS.every((reach, draw) => {
    const random = uniform(1000 + draw);
    const values = ending.inputs.map(({ dims }) =>
      Float32Array.from({ length: product(dims) }, () => (2 * random() - 1) * reach),
    );
    const results = ending.run(values);
    if (!results) return false;
    const outputs = graph.outputs.map(({ order }, i) => {
      if (order === null) return values[i];
      const hwc = new Float32Array(values[i].length);
      order.forEach((to, from) => (hwc[to] = values[i][from]));
      return hwc;
    });
    return agrees(results, outputs);
  });
}

function everyLocation(
  proof: Proof,
  head: ResolvedHead,
  agrees: (location: Location, row: number) => boolean,
): boolean {
  const rowOf = rowsOf(proof, head);
  for (const level of head.levels) {
    for (let cell = 0; cell < level.cells; cell++) {
      for (let anchor = 0; anchor < level.anchors; anchor++) {
        const location = { level, cell, anchor };
        if (!agrees(location, rowOf(location))) return false;
      }
    }
  }
  return true;
}

function rowsOf({ levels }: Proof, head: ResolvedHead): (location: Location) => number {
  return ({ level, cell, anchor }) => {
    const { row, rowsPerCell, rowsPerAnchor } = levels[head.levels.indexOf(level)];
    return row + cell * rowsPerCell + anchor * rowsPerAnchor;
  };
}

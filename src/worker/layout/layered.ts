/**
 * Layered drawing of a network after Sugiyama, Tagawa and Toda (1981): ranks by longest path, long edges cut into
 * pieces by virtual nodes, order within a rank by barycentres, coordinates by Brandes and Köpf (2001). Everything is
 * iterative and bounded, so that thousands of layers neither overflow the stack nor hang. Coordinates: `across` within
 * a rank, `along` from rank to rank; the view decides which of them is x.
 */
import type { DrawingPiece, DrawingRequest, DrawingView } from '../../protocol/drawing';
import { assignCoordinates } from './coordinates';
import { orderRanks } from './ordering';
import { rankNodes } from './ranking';

/** Virtual nodes at most; beyond it, long edges are drawn straight instead of around the nodes. */
const maxVirtual = 60_000;
const virtualWidth = 12;

/** One node of the layered graph; `virtual` ones lie on long edges. */
export interface LayeredGraph {
  /** Order within each rank. Entries are node numbers; numbers from `real` on are virtual. */
  readonly ranks: number[][];
  readonly real: number;
  readonly above: number[][];
  readonly below: number[][];
  readonly width: (node: number) => number;
  readonly gap: number;
}

/** Lays a network out. Whatever the request says, the time is bounded by its size. */
export function layoutLayered(input: DrawingRequest): DrawingView {
  const count = input.inputs.length;
  const edges: [number, number][] = [];
  input.inputs.forEach((producers, node) => {
    for (const producer of new Set(producers)) if (producer >= 0 && producer < node) edges.push([producer, node]);
  });
  const rank = rankNodes(count, edges);
  const { above, below, ranks, chains, shortcuts } = cutEdges(count, edges, rank);
  const graph: LayeredGraph = {
    ranks,
    real: count,
    above,
    below,
    width: (node) => (node < count ? input.across : virtualWidth),
    gap: input.gapAcross,
  };
  orderRanks(graph);
  const x = assignCoordinates(graph);

  return {
    rank: [...rank],
    center: [...x.slice(0, count)],
    ranks: ranks.map((nodes) => nodes.filter((node) => node < count)),
    pieces: piecesOf(ranks, chains, rank, x),
    shortcuts,
    ...extent(graph, x),
  };
}

/** The nodes at their ranks, with a virtual node wherever an edge passes a rank. */
interface CutEdges {
  readonly above: number[][];
  readonly below: number[][];
  readonly ranks: number[][];
  /** Nodes of each edge from its producer down. */
  readonly chains: number[][];
  /** Edges that are not cut. */
  readonly shortcuts: [number, number][];
}

function cutEdges(count: number, edges: [number, number][], rank: ArrayLike<number>): CutEdges {
  const above: number[][] = Array.from({ length: count }, () => []);
  const below: number[][] = Array.from({ length: count }, () => []);
  const ranks: number[][] = Array.from(
    { length: count === 0 ? 0 : Array.from(rank).reduce((a, b) => Math.max(a, b), 0) + 1 },
    () => [],
  );
  for (let node = 0; node < count; node++) ranks[rank[node]].push(node);

  const chains: number[][] = [];
  const shortcuts: [number, number][] = [];
  // Short edges first, so that a few very long ones are the ones that are not cut.
  edges.sort((a, b) => rank[a[1]] - rank[a[0]] - (rank[b[1]] - rank[b[0]]));
  for (const [from, to] of edges) {
    const pieces = rank[to] - rank[from];
    if (above.length - count + pieces - 1 > maxVirtual) {
      shortcuts.push([from, to]);
      continue;
    }
    const chain = [from];
    for (let r = rank[from] + 1; r < rank[to]; r++) {
      const virtual = above.length;
      above.push([]);
      below.push([]);
      ranks[r].push(virtual);
      chain.push(virtual);
    }
    chain.push(to);
    for (let i = 1; i < chain.length; i++) {
      below[chain[i - 1]].push(chain[i]);
      above[chain[i]].push(chain[i - 1]);
    }
    chains.push(chain);
  }
  return { above, below, ranks, chains, shortcuts };
}

/** Pieces of the edges' chains, by the rank that each leaves. */
function piecesOf(
  ranks: readonly number[][],
  chains: readonly number[][],
  rank: ArrayLike<number>,
  x: ArrayLike<number>,
): DrawingPiece[][] {
  const pieces: DrawingPiece[][] = ranks.map(() => []);
  for (const chain of chains) {
    const from = chain[0];
    const to = chain[chain.length - 1];
    for (let i = 1; i < chain.length; i++) {
      pieces[rank[from] + i - 1].push({
        from,
        to,
        start: x[chain[i - 1]],
        end: x[chain[i]],
        last: i === chain.length - 1,
      });
    }
  }
  return pieces;
}

/** Where the drawing begins and ends across its ranks. */
function extent(graph: LayeredGraph, x: ArrayLike<number>): { min: number; max: number } {
  if (graph.real === 0) return { min: 0, max: 0 };
  let min = Infinity;
  let max = -Infinity;
  for (let node = 0; node < x.length; node++) {
    const half = graph.width(node) / 2;
    min = Math.min(min, x[node] - half);
    max = Math.max(max, x[node] + half);
  }
  return { min, max };
}

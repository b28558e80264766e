/** The graph as it is drawn: positions in drawing units, and which nodes and edges a part of the plane shows. */
import type { DrawingPiece, DrawingRequest, DrawingView } from '../../src/protocol/drawing';
import type { EditorView } from '../../src/protocol/views';
import type { Direction } from '../state';
import type { FoldedGraph, GraphNode } from './folding';

export const nodeWidth = 208;
export const nodeHeight = 44;

/** Between columns. */
const GUTTER = 40;

/** Pixels per unit from which on a node's bits can be read. */
export const LEGIBLE = 0.38;

/**
 * Ranks of a column, so that all of them together are shown as large as the room allows.
 * @param count of ranks
 */
function columnLength(
  count: number,
  pitch: number,
  columnPitch: number,
  room: { readonly width: number; readonly height: number },
): number {
  let best = { scale: 0, length: Math.max(1, count) };
  for (let columns = 1; columns <= 24; columns++) {
    const length = Math.max(1, Math.ceil(count / columns));
    const scale = Math.min(room.width / (columns * columnPitch), room.height / (length * pitch));
    if (scale > best.scale) best = { scale, length };
  }
  return best.length;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function spacing(direction: Direction): Omit<DrawingRequest, 'inputs'> {
  const down = direction !== 'right';
  return {
    across: down ? nodeWidth : nodeHeight,
    along: down ? nodeHeight : nodeWidth,
    gapAcross: down ? 26 : 20,
    gapAlong: direction === 'wrap' ? 18 : down ? 32 : 40,
  };
}

/** What the engine is asked for to draw these nodes. */
export function layoutRequest(nodes: readonly GraphNode[], direction: Direction): DrawingRequest {
  return { inputs: nodes.map((node) => node.inputs), ...spacing(direction) };
}

/** Places (ranks × nodes beside each other) that are seen at once and can be read, about. */
export function placesIn(room: { readonly width: number; readonly height: number }): number {
  const { across, along, gapAcross, gapAlong } = spacing('wrap');
  const columns = Math.floor(room.width / LEGIBLE / (across + gapAcross + GUTTER));
  const rows = Math.floor(room.height / LEGIBLE / (along + gapAlong));
  return Math.max(12, columns * rows);
}

/** Beside the nodes of a group that was unfolded: folds it again. */
export interface FoldHandle {
  readonly key: string;
  readonly box: Box;
}

export class Scene {
  private readonly pitch: number;
  readonly bounds: Box;
  /** Around the nodes of the patch stage, in each column that it is in. */
  readonly stages: readonly Box[];
  /** The first of them; null without one. */
  readonly stage: Box | null;
  /** Beside groups that are unfolded, in each column that they are in. */
  readonly handles: readonly FoldHandle[];
  /** Ranks of a column, and the distance of columns. */
  private readonly column: number;
  private readonly columnPitch: number;

  constructor(
    readonly graph: FoldedGraph,
    readonly view: EditorView,
    readonly direction: Direction,
    private readonly layout: DrawingView,
    /** Of the part of the page that it is drawn in: `wrap` fills it. */
    room: { readonly width: number; readonly height: number } = { width: 4, height: 3 },
  ) {
    const { along, gapAlong } = spacing(direction);
    this.pitch = along + gapAlong;
    const down = direction !== 'right';
    const { min, max, ranks } = this.layout;
    this.columnPitch = max - min + GUTTER;
    this.column = direction === 'wrap' ? columnLength(ranks.length, this.pitch, this.columnPitch, room) : Infinity;
    const columns = Math.max(1, Math.ceil(ranks.length / this.column));
    const length = Math.max(0, Math.min(ranks.length, this.column) - 1) * this.pitch + along;
    const nodes = down
      ? { x: min, y: -along / 2, width: (columns - 1) * this.columnPitch + max - min, height: length }
      : { x: -along / 2, y: min, width: length, height: max - min };
    const inStage = this.nodes.filter(({ layers }) => layers.some(({ plan }) => plan?.inPatchStage === true));
    this.stages = this.enclosures(inStage.map(({ id }) => id)).map((box) => grown(box, 14));
    this.stage = this.stages[0] ?? null;
    this.bounds = this.stages.reduce(
      (all, box) => union(all, { ...box, y: box.y - 20, height: box.height + 20 }),
      nodes,
    );
    this.handles = graph.open.flatMap(({ key, nodes: inside }) => {
      // Beside the handles of the groups in it.
      const depth = graph.open.filter(
        (other) => other.nodes.length < inside.length && inside.includes(other.nodes[0]),
      ).length;
      return this.enclosures(inside).map(({ x, y, height }) => ({
        key,
        box: { x: x - 18 - 14 * Math.min(depth, 2), y, width: 12, height },
      }));
    });
  }

  get nodes(): readonly GraphNode[] {
    return this.graph.nodes;
  }

  /** The fold handle at a place of the drawing. */
  handleAt(point: { readonly x: number; readonly y: number }): string | null {
    return this.handles.find(({ box }) => overlaps(box, { ...point, width: 0, height: 0 }))?.key ?? null;
  }

  /** Centre of a node. */
  at(node: number): { readonly x: number; readonly y: number } {
    return this.point(this.layout.center[node], this.layout.rank[node]);
  }

  /** Where the network begins. */
  get start(): { readonly x: number; readonly y: number } {
    return this.nodes.length > 0 ? this.at(0) : { x: 0, y: 0 };
  }

  /** Of several neighbours the one that lies straightest ahead; null where there are none. */
  private nearest(from: number, nodes: readonly number[]): number | null {
    const a = this.at(from);
    const distance = (node: number): number => Math.hypot(this.at(node).x - a.x, this.at(node).y - a.y);
    return nodes.reduce<number | null>(
      (best, node) => (best !== null && distance(best) <= distance(node) ? best : node),
      null,
    );
  }

  boxOf(node: number): Box {
    const { x, y } = this.at(node);
    return { x: x - nodeWidth / 2, y: y - nodeHeight / 2, width: nodeWidth, height: nodeHeight };
  }

  private point(across: number, rank: number): { x: number; y: number } {
    if (this.direction === 'right') return { x: rank * this.pitch, y: across };
    if (this.direction === 'down') return { x: across, y: rank * this.pitch };
    return { x: across + this.columnOf(rank) * this.columnPitch, y: (rank % this.column) * this.pitch };
  }

  private columnOf(rank: number): number {
    return Math.floor(rank / this.column);
  }

  /** Right border of the column that a place is in, and the height where columns begin. */
  turnAt(x: number): { readonly x: number; readonly top: number } {
    const column = Math.floor((x - this.layout.min + GUTTER / 2) / this.columnPitch);
    return { x: this.layout.max + column * this.columnPitch + GUTTER / 2, top: -this.pitch / 2 - 4 };
  }

  private rankRange(part: Box): readonly [number, number] {
    if (this.direction === 'wrap') return [0, this.layout.ranks.length - 1];
    const [start, length] = this.direction !== 'right' ? [part.y, part.height] : [part.x, part.width];
    return [
      Math.max(0, Math.floor(start / this.pitch) - 1),
      Math.min(this.layout.ranks.length - 1, Math.ceil((start + length) / this.pitch) + 1),
    ];
  }

  /** Nodes that may be seen in a part of the plane. */
  *nodesIn(part: Box): Generator<number> {
    const [first, last] = this.rankRange(part);
    for (let r = first; r <= last; r++) {
      for (const node of this.layout.ranks[r]) {
        if (overlaps(this.boxOf(node), part)) yield node;
      }
    }
  }

  /** Pieces of edges that may be seen, as start and end points on the borders of the nodes. */
  *piecesIn(part: Box): Generator<{ piece: DrawingPiece; x0: number; y0: number; x1: number; y1: number }> {
    const [first, last] = this.rankRange(part);
    for (let r = first; r <= last; r++) {
      for (const piece of this.layout.pieces[r]) {
        const a = this.point(piece.start, r);
        const b = this.point(piece.end, r + 1);
        yield { piece, x0: a.x, y0: a.y, x1: b.x, y1: b.y };
      }
    }
  }

  get shortcuts(): readonly (readonly [number, number])[] {
    return this.layout.shortcuts;
  }

  nodeAt(x: number, y: number): number | null {
    for (const node of this.nodesIn({ x, y, width: 0, height: 0 })) return node;
    return null;
  }

  /** Where a key leads from a node; null where there is nothing, undefined for other keys. */
  toward(from: number, key: string): number | null | undefined {
    const down = this.direction !== 'right';
    switch (key) {
      case 'Home':
        return 0;
      case 'End':
        return this.nodes.length - 1;
      case down ? 'ArrowDown' : 'ArrowRight':
        return this.nearest(from, this.graph.readers[from]);
      case down ? 'ArrowUp' : 'ArrowLeft':
        return this.nearest(from, this.nodes[from].inputs);
      case down ? 'ArrowRight' : 'ArrowDown':
        return this.sibling(from, 1);
      case down ? 'ArrowLeft' : 'ArrowUp':
        return this.sibling(from, -1);
      default:
        return undefined;
    }
  }

  /** The next node next to this one in its rank. */
  private sibling(node: number, step: 1 | -1): number | null {
    const rank = this.layout.ranks[this.layout.rank[node]];
    return rank[rank.indexOf(node) + step] ?? null;
  }

  /** Boxes around nodes and the edges between them, one for each column. */
  private enclosures(nodes: readonly number[]): Box[] {
    const columns = new Map<number, number[]>();
    for (const id of nodes) {
      const column = this.direction === 'wrap' ? this.columnOf(this.layout.rank[id]) : 0;
      columns.set(column, [...(columns.get(column) ?? []), id]);
    }
    return [...columns.values()].map((inside) => this.enclose(inside));
  }

  private enclose(nodes: readonly number[]): Box {
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const id of nodes) {
      const box = this.boxOf(id);
      x0 = Math.min(x0, box.x);
      y0 = Math.min(y0, box.y);
      x1 = Math.max(x1, box.x + box.width);
      y1 = Math.max(y1, box.y + box.height);
    }
    // Skip connections within run next to the layers.
    const inside = new Set(nodes);
    this.layout.pieces.forEach((pieces, rank) => {
      for (const { from, to, start } of pieces) {
        if (!inside.has(from) || !inside.has(to)) continue;
        const { x, y } = this.point(start, rank);
        [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
      }
    });
    return { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
  }
}

function grown({ x, y, width, height }: Box, by: number): Box {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}

function union(a: Box, b: Box): Box {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

export function overlaps(a: Box, b: Box): boolean {
  return a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height;
}

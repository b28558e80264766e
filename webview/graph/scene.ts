/** The graph as it is drawn: positions in drawing units, and which nodes and edges a part of the plane shows. */
import type { DrawingPiece, DrawingRequest, DrawingView } from '../../src/protocol/drawing';
import type { EditorView, LayerView } from '../../src/protocol/views';
import type { Direction } from '../state';

export const nodeWidth = 176;
export const nodeHeight = 44;

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function spacing(direction: Direction): Omit<DrawingRequest, 'inputs'> {
  const down = direction === 'down';
  return {
    across: down ? nodeWidth : nodeHeight,
    along: down ? nodeHeight : nodeWidth,
    gapAcross: down ? 26 : 20,
    gapAlong: down ? 32 : 40,
  };
}

/** What the engine is asked for to draw these layers. */
export function layoutRequest(layers: readonly LayerView[], direction: Direction): DrawingRequest {
  return { inputs: layers.map((layer) => layer.inputs), ...spacing(direction) };
}

export class Scene {
  private readonly pitch: number;
  readonly bounds: Box;
  /** Around the nodes of the patch stage; null without one. */
  readonly stage: Box | null;

  constructor(
    readonly layers: readonly LayerView[],
    readonly view: EditorView,
    readonly direction: Direction,
    private readonly layout: DrawingView,
  ) {
    const { along, gapAlong } = spacing(direction);
    this.pitch = along + gapAlong;
    const down = direction === 'down';
    const { min, max, ranks } = this.layout;
    const length = Math.max(0, ranks.length - 1) * this.pitch + along;
    const nodes = down
      ? { x: min, y: -along / 2, width: max - min, height: length }
      : { x: -along / 2, y: min, width: length, height: max - min };
    this.stage = this.enclose(layers.filter((layer) => layer.plan?.inPatchStage === true));
    this.bounds =
      this.stage === null
        ? nodes
        : union(nodes, { ...this.stage, y: this.stage.y - 20, height: this.stage.height + 20 });
  }

  /** Centre of a node. */
  at(node: number): { readonly x: number; readonly y: number } {
    return this.point(this.layout.center[node], this.layout.rank[node]);
  }

  /** Where the network begins. */
  get start(): { readonly x: number; readonly y: number } {
    return this.layers.length > 0 ? this.at(0) : { x: 0, y: 0 };
  }

  boxOf(node: number): Box {
    const { x, y } = this.at(node);
    return { x: x - nodeWidth / 2, y: y - nodeHeight / 2, width: nodeWidth, height: nodeHeight };
  }

  private point(across: number, rank: number): { x: number; y: number } {
    return this.direction === 'down' ? { x: across, y: rank * this.pitch } : { x: rank * this.pitch, y: across };
  }

  private rankRange(part: Box): readonly [number, number] {
    const [start, length] = this.direction === 'down' ? [part.y, part.height] : [part.x, part.width];
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

  /** The next node beside this one in its rank. */
  sibling(node: number, step: 1 | -1): number | null {
    const rank = this.layout.ranks[this.layout.rank[node]];
    return rank[rank.indexOf(node) + step] ?? null;
  }

  private enclose(layers: readonly LayerView[]): Box | null {
    if (layers.length === 0) return null;
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const layer of layers) {
      const box = this.boxOf(layer.id);
      x0 = Math.min(x0, box.x);
      y0 = Math.min(y0, box.y);
      x1 = Math.max(x1, box.x + box.width);
      y1 = Math.max(y1, box.y + box.height);
    }
    // Skip connections within the stage lie beside its layers.
    const inside = new Set(layers.map((layer) => layer.id));
    this.layout.pieces.forEach((pieces, rank) => {
      for (const { from, to, start } of pieces) {
        if (!inside.has(from) || !inside.has(to)) continue;
        const { x, y } = this.point(start, rank);
        [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
      }
    });
    const pad = 14;
    return { x: x0 - pad, y: y0 - pad, width: x1 - x0 + 2 * pad, height: y1 - y0 + 2 * pad };
  }
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

/**
 * A layered drawing of a graph, computed by the engine so that the page's thread never waits for it. Plain arrays: it
 * crosses two borders.
 */
export interface DrawingRequest {
  /** Producers of each node. Only producers with a smaller index count: layers come in topological order. */
  readonly inputs: readonly (readonly number[])[];
  /** Size of a node across and along the ranks. */
  readonly across: number;
  readonly along: number;
  readonly gapAcross: number;
  readonly gapAlong: number;
}

/** A piece of an edge from one rank to the next. */
export interface DrawingPiece {
  readonly from: number;
  readonly to: number;
  /** Positions across, at the rank and at the next. */
  readonly start: number;
  readonly end: number;
  readonly last: boolean;
}

export interface DrawingView {
  readonly rank: readonly number[];
  /** Center of each node across the ranks. */
  readonly center: readonly number[];
  /** Nodes of each rank in their order. */
  readonly ranks: readonly (readonly number[])[];
  /** Pieces of edges between rank r and r + 1. */
  readonly pieces: readonly (readonly DrawingPiece[])[];
  /** Edges that were not cut because there were too many: drawn straight. */
  readonly shortcuts: readonly (readonly [number, number])[];
  readonly min: number;
  readonly max: number;
}

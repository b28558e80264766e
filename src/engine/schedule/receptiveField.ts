import type { Graph, Layer, MapId, ResizeLayer, Shape, Window } from '../graph/types';
import type { Region } from '../graph/region';

/**
 * Exact receptive fields: which part of its inputs a layer reads to compute a region of its output. The arithmetic is
 * separable (rows and columns never mix), so everything is built from intervals of one axis; the patch planner uses
 * these directly.
 */

/** Elements [begin, end) of one axis of a feature map. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

/** One axis of a sliding window. `before` is the zero padding at the low border. */
export interface AxisWindow {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

export type Axis = 'h' | 'w';

/** The vertical or horizontal half of a window. */
function axisWindow(window: Window, axis: Axis): AxisWindow {
  return axis === 'h'
    ? { kernel: window.kernelH, stride: window.strideH, dilation: window.dilationH, before: window.padding.top }
    : { kernel: window.kernelW, stride: window.strideW, dilation: window.dilationW, before: window.padding.left };
}

/**
 * Input elements under the windows of the outputs `out`, clipped to the map's `extent`; empty (begin = end) when all of
 * them are padding. `pad` is how many rows (columns) of padding this call has before its first input element.
 */
function windowSpan(window: AxisWindow, out: Span, extent: number): Span & { readonly pad: number } {
  const { stride, dilation, before } = window;
  const reach = (window.kernel - 1) * dilation;
  const first = out.begin * stride - before;
  const last = (out.end - 1) * stride - before + reach;
  let begin = first;
  let end = last + 1;
  if (first < 0) {
    // With dilation or strides the first element inside may be any of the windows that begin in the padding.
    begin = Infinity;
    for (let o = out.begin; o < out.end && begin > 0; o++) {
      const start = o * stride - before;
      const inside = start >= 0 ? start : start + Math.ceil(-start / dilation) * dilation;
      if (inside <= start + reach) begin = Math.min(begin, inside);
      if (start >= 0) break;
    }
  }
  if (last >= extent) {
    end = -Infinity;
    for (let o = out.end - 1; o >= out.begin && end < extent; o--) {
      const start = o * stride - before;
      const inside =
        start + reach < extent ? start + reach : start + Math.floor((extent - 1 - start) / dilation) * dilation;
      if (inside >= start) end = Math.max(end, inside + 1);
      if (start + reach < extent) break;
    }
  }
  if (begin >= extent || end <= begin) return { begin: 0, end: 0, pad: 0 };
  return { begin, end, pad: begin - first };
}

/** The part of one input that a call of a layer reads. */
export interface InputNeed {
  readonly map: MapId;
  /** In the coordinates of the input map. Empty if only padding is read. */
  readonly region: Region;
}

/** What a layer reads to compute one region of its output. */
export interface ReceptiveField {
  /** One per input of the layer, in order. */
  readonly inputs: readonly InputNeed[];
  /**
   * Rows of padding above, and columns of padding left of, the input region in this call; 0 for layers without a
   * window.
   */
  readonly padTop: number;
  readonly padLeft: number;
}

/** How the output region of a layer decides what it reads of an input. */
type Reach = 'window' | 'same' | 'shifted' | 'whole';

function reach(graph: Graph, layer: Layer, input: number): Reach {
  switch (layer.kind) {
    case 'conv':
    case 'depthwise':
    case 'maxPool':
    case 'averagePool':
      return 'window';
    case 'pad':
      return 'shifted';
    case 'add':
    case 'mul':
      return isBroadcast(graph, layer, input) ? 'whole' : 'same';
    case 'activation':
    case 'prelu':
    case 'slice':
    case 'softmax':
    case 'normalize':
      return 'same';
    case 'concat':
      return layer.axis === 'c' ? 'same' : 'whole';
    case 'fullyConnected':
    case 'resize':
    case 'reshape':
    case 'permute':
      return 'whole';
  }
}

/** Whether an input of an element-wise layer is 1×1×C while the output is not. */
export function isBroadcast(graph: Graph, layer: Layer, input: number): boolean {
  const a = graph.maps[layer.inputs[input]].shape;
  const out = graph.maps[layer.output].shape;
  return a.h * a.w === 1 && out.h * out.w > 1;
}

/**
 * Whether every input region follows from the output region, so that the layer can run on patches. Concat on h or w,
 * resize, reshape, permute, fully connected layers and broadcasts cannot.
 */
export function runsOnPatches(graph: Graph, layer: Layer): boolean {
  return layer.inputs.every((_, i) => reach(graph, layer, i) !== 'whole') && layer.kind !== 'softmax';
}

/** The input elements on one axis for the output elements `out`; for layers of which {@link runsOnPatches} holds. */
export function axisNeed(
  graph: Graph,
  layer: Layer,
  input: number,
  axis: Axis,
  out: Span,
): Span & { readonly pad: number } {
  const shape = graph.maps[layer.inputs[input]].shape;
  const extent = axis === 'h' ? shape.h : shape.w;
  switch (reach(graph, layer, input)) {
    case 'window':
      return windowSpan(axisWindow(windowOf(layer), axis), out, extent);
    case 'shifted': {
      const { padding } = layer as Extract<Layer, { kind: 'pad' }>;
      const before = axis === 'h' ? padding.top : padding.left;
      return windowSpan({ kernel: 1, stride: 1, dilation: 1, before }, out, extent);
    }
    case 'same':
      return { begin: out.begin, end: out.end, pad: 0 };
    case 'whole':
      return { begin: 0, end: extent, pad: 0 };
  }
}

/** The window of a convolution or pooling layer. */
function windowOf(layer: Layer): Window {
  if (layer.kind === 'conv' || layer.kind === 'depthwise' || layer.kind === 'maxPool' || layer.kind === 'averagePool')
    return layer.window;
  throw new Error(`Layer of kind ${layer.kind} has no window.`);
}

/**
 * What `layer` reads to compute `region` of its output. Input regions are the smallest rectangles that hold every
 * element read, clipped at the map's border. For layers that do not run on patches the whole input is read, whatever
 * the region.
 */
export function receptiveField(graph: Graph, layer: Layer, region: Region): ReceptiveField {
  let padTop = 0;
  let padLeft = 0;
  const inputs = layer.inputs.map((map, i) => {
    const rows = axisNeed(graph, layer, i, 'h', { begin: region.y0, end: region.y1 });
    const cols = axisNeed(graph, layer, i, 'w', { begin: region.x0, end: region.x1 });
    if (i === 0) {
      padTop = rows.pad;
      padLeft = cols.pad;
    }
    return { map, region: { y0: rows.begin, x0: cols.begin, y1: rows.end, x1: cols.end } };
  });
  return { inputs, padTop, padLeft };
}

/**
 * A lower bound of the source rows that a resize reads for output row `row` and all after it: the floor of the source
 * coordinate (ONNX Resize, coordinate_transformation_mode), which no rounding mode and no interpolation undercuts.
 */
export function resizeFirstRow(layer: ResizeLayer, input: Shape, output: Shape, row: number): number {
  if (layer.pick) return layer.pick.rows.subarray(row).reduce((least, at) => Math.min(least, at), input.h - 1);
  let source: number;
  switch (layer.coordinates) {
    case 'asymmetric':
      source = row / layer.scaleH;
      break;
    case 'align_corners':
      source = output.h > 1 ? (row * (input.h - 1)) / (output.h - 1) : 0;
      break;
    case 'pytorch_half_pixel':
      source = output.h > 1 ? (row + 0.5) / layer.scaleH - 0.5 : 0;
      break;
    case 'half_pixel':
      source = (row + 0.5) / layer.scaleH - 0.5;
      break;
  }
  // Coordinates are compared with those of a table that may have been computed in another order: never claim one row
  // too many.
  return Math.min(Math.max(0, Math.floor(source - 1e-6)), input.h - 1);
}

import type {
  ActivationFunction,
  Clamp,
  FeatureMap,
  Graph,
  Layer,
  MapId,
  Padding,
  Shape,
  Window,
} from '../../src/engine/graph/types';

/**
 * Builds valid graphs of the contract in src/engine/graph/types.ts by hand: every method adds a layer and returns the
 * id of the map it writes.
 */
export class GraphBuilder {
  private readonly maps: { id: MapId; name: string; shape: Shape; producer: number | null; consumers: number[] }[] = [];
  private readonly layers: Layer[] = [];
  private readonly inputs: MapId[] = [];

  /** @param random numbers in [−1, 1) for weights */
  constructor(private readonly random: () => number = mulberry32(1)) {}

  shape(map: MapId): Shape {
    return this.maps[map].shape;
  }

  /** Whether any layer reads the map. */
  isRead(map: MapId): boolean {
    return this.maps[map].consumers.length > 0;
  }

  input(shape: Shape): MapId {
    const map = this.addMap(shape, null);
    this.inputs.push(map);
    return map;
  }

  conv(input: MapId, outC: number, window: Window, group = 1, clamp: Clamp = open): MapId {
    const { c } = this.shape(input);
    const perOutput = window.kernelH * window.kernelW * (c / group);
    return this.add(
      [input],
      { ...windowed(this.shape(input), window), c: outC },
      {
        kind: 'conv',
        window,
        group,
        clamp,
        weights: this.numbers(outC * perOutput, perOutput),
        bias: this.numbers(outC, 1),
      },
    );
  }

  depthwise(input: MapId, window: Window, clamp: Clamp = open): MapId {
    const { c } = this.shape(input);
    const taps = window.kernelH * window.kernelW;
    return this.add(
      [input],
      { ...windowed(this.shape(input), window), c },
      {
        kind: 'depthwise',
        window,
        clamp,
        weights: this.numbers(taps * c, taps),
        bias: this.numbers(c, 1),
      },
    );
  }

  fullyConnected(input: MapId, outC: number, clamp: Clamp = open): MapId {
    const { h, w, c } = this.shape(input);
    return this.add(
      [input],
      { h: 1, w: 1, c: outC },
      {
        kind: 'fullyConnected',
        clamp,
        weights: this.numbers(outC * h * w * c, h * w * c),
        bias: this.numbers(outC, 1),
      },
    );
  }

  addMaps(inputs: readonly MapId[], clamp: Clamp = open): MapId {
    return this.add(inputs, this.largest(inputs), { kind: 'add', signs: inputs.map(() => 1 as const), clamp });
  }

  /** A block of MobileNetV2 that widens to `deep` channels and narrows to `narrow`, with its shortcut at stride 1. */
  invertedResidual(map: MapId, deep: number, narrow: number, stride: number): MapId {
    const wide = this.conv(map, deep, squareWindow(1), 1, relu6);
    const filtered = this.depthwise(wide, squareWindow(3, { strideH: stride, strideW: stride }), relu6);
    const out = this.conv(filtered, narrow, squareWindow(1));
    return stride === 1 ? this.addMaps([map, out]) : out;
  }

  mul(a: MapId, b: MapId): MapId {
    return this.add([a, b], this.largest([a, b]), { kind: 'mul', clamp: open });
  }

  concat(inputs: readonly MapId[], axis: 'h' | 'w' | 'c' = 'c'): MapId {
    const first = this.shape(inputs[0]);
    const total = inputs.reduce((sum, map) => sum + this.shape(map)[axis], 0);
    return this.add(inputs, { ...first, [axis]: total }, { kind: 'concat', axis });
  }

  maxPool(input: MapId, window: Window): MapId {
    return this.add(
      [input],
      { ...windowed(this.shape(input), window), c: this.shape(input).c },
      { kind: 'maxPool', window },
    );
  }

  averagePool(input: MapId, window: Window, countIncludePad = false): MapId {
    return this.add(
      [input],
      { ...windowed(this.shape(input), window), c: this.shape(input).c },
      { kind: 'averagePool', window, countIncludePad },
    );
  }

  globalAveragePool(input: MapId): MapId {
    const { h, w } = this.shape(input);
    return this.averagePool(input, squareWindow(1, { kernelH: h, kernelW: w }));
  }

  pad(input: MapId, padding: Padding, value = 0): MapId {
    const { h, w, c } = this.shape(input);
    return this.add(
      [input],
      { h: h + padding.top + padding.bottom, w: w + padding.left + padding.right, c },
      { kind: 'pad', padding, value },
    );
  }

  resize(input: MapId, scale: number, mode: 'nearest' | 'linear' = 'nearest'): MapId {
    const { h, w, c } = this.shape(input);
    return this.add(
      [input],
      { h: Math.floor(h * scale), w: Math.floor(w * scale), c },
      {
        kind: 'resize',
        mode,
        coordinates: mode === 'nearest' ? 'asymmetric' : 'half_pixel',
        rounding: 'floor',
        scaleH: scale,
        scaleW: scale,
      },
    );
  }

  activation(input: MapId, fn: ActivationFunction): MapId {
    return this.add([input], this.shape(input), { kind: 'activation', fn });
  }

  prelu(input: MapId): MapId {
    return this.add([input], this.shape(input), { kind: 'prelu', slopes: this.numbers(this.shape(input).c, 16) });
  }

  /** Whether a map's codes are those of the input, with its zero point, as PRelu cannot read them. */
  isPixels(map: MapId): boolean {
    const producer = this.layers.find(({ output }) => output === map);
    return (
      !producer ||
      (!('weights' in producer) &&
        producer.kind !== 'activation' &&
        producer.inputs.some((input) => this.isPixels(input)))
    );
  }

  slice(input: MapId, begin: number, end: number): MapId {
    return this.add([input], { ...this.shape(input), c: end - begin }, { kind: 'slice', begin, end });
  }

  softmax(input: MapId): MapId {
    return this.add([input], this.shape(input), { kind: 'softmax' });
  }

  reshape(input: MapId, shape: Shape): MapId {
    return this.add([input], shape, { kind: 'reshape' });
  }

  /** The graph; without `outputs`, every map that nothing reads is an output. */
  build(outputs?: readonly MapId[]): Graph {
    const ends = outputs ?? this.maps.filter((m) => m.consumers.length === 0 && m.producer !== null).map((m) => m.id);
    const binding = (map: MapId) => {
      const { name, shape } = this.maps[map];
      return {
        name,
        map,
        dims: [1, shape.c, shape.h, shape.w],
        elementType: 'float32' as const,
        memory: [0, 2, 3, 1],
        order: nchwOrder(shape),
      };
    };
    const maps: FeatureMap[] = this.maps;
    return {
      name: 'random',
      maps,
      layers: this.layers,
      inputs: this.inputs.map(binding),
      outputs: ends.map(binding),
      taps: new Map(),
    };
  }

  private largest(inputs: readonly MapId[]): Shape {
    return inputs.map((m) => this.shape(m)).reduce((a, b) => (a.h * a.w >= b.h * b.w ? a : b));
  }

  private add(inputs: readonly MapId[], shape: Shape, layer: { kind: Layer['kind'] } & Record<string, unknown>): MapId {
    const id = this.layers.length;
    const output = this.addMap(shape, id);
    for (const map of new Set(inputs)) this.maps[map].consumers.push(id);
    this.layers.push({
      id,
      name: `${layer.kind}${id}`,
      onnx: [],
      inputs: [...inputs],
      output,
      ...layer,
    } as unknown as Layer);
    return output;
  }

  private addMap(shape: Shape, producer: number | null): MapId {
    if (shape.h < 1 || shape.w < 1 || shape.c < 1) throw new Error(`Empty map ${shape.h}×${shape.w}×${shape.c}.`);
    const id = this.maps.length;
    this.maps.push({ id, name: `map${id}`, shape, producer, consumers: [] });
    return id;
  }

  private numbers(count: number, fanIn: number): Float32Array {
    return Float32Array.from({ length: count }, () => this.random() / Math.sqrt(fanIn));
  }
}

export const open: Clamp = { min: null, max: null };
export const relu: Clamp = { min: 0, max: null };
export const relu6: Clamp = { min: 0, max: 6 };

/** A k×k window of stride 1 with "same" padding for odd k, changed by `other`. */
export function squareWindow(kernel: number, other: Partial<Window> = {}): Window {
  const p = Math.floor(kernel / 2);
  return {
    kernelH: kernel,
    kernelW: kernel,
    strideH: 1,
    strideW: 1,
    dilationH: 1,
    dilationW: 1,
    padding: { top: p, left: p, bottom: p, right: p },
    ...other,
  };
}

function windowed({ h, w }: Shape, window: Window): { h: number; w: number } {
  const { padding } = window;
  const extent = (size: number, pad: number, kernel: number, dilation: number, stride: number) =>
    Math.floor((size + pad - dilation * (kernel - 1) - 1) / stride) + 1;
  return {
    h: extent(h, padding.top + padding.bottom, window.kernelH, window.dilationH, window.strideH),
    w: extent(w, padding.left + padding.right, window.kernelW, window.dilationW, window.strideW),
  };
}

function nchwOrder({ h, w, c }: Shape): Int32Array {
  const order = new Int32Array(h * w * c);
  let i = 0;
  for (let k = 0; k < c; k++) for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) order[i++] = (y * w + x) * c + k;
  return order;
}

/** Uniform numbers in [−1, 1), the same for the same seed. */
export function mulberry32(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2147483648 - 1;
  };
}

/**
 * A view with the structure and the numbers of MobileNetV2 1.0 at 224×224, as the page would get it: shapes, MACs and
 * parameters are computed from the architecture; the plan's patches, halos, lifetimes and offsets from the same
 * arithmetic that the engine uses, in small.
 */
import type { LayerView, ModelView } from '../../../src/protocol/views';

interface Spec {
  readonly name: string;
  readonly kind: string;
  readonly operators: string;
  readonly inputs: readonly number[];
  readonly kernel: number;
  readonly stride: number;
  readonly channels: number;
  readonly group: boolean;
}

/** (expansion, channels, repeats, stride) of the inverted residual blocks: Sandler et al. 2018, table 2. */
const blocks: readonly (readonly [number, number, number, number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

function architecture(): Spec[] {
  const specs: Spec[] = [];
  const add = (
    name: string,
    kind: string,
    operators: string,
    inputs: readonly number[],
    kernel: number,
    stride: number,
    channels: number,
    group = false,
  ): number => {
    specs.push({ name, kind, operators, inputs, kernel, stride, channels, group });
    return specs.length - 1;
  };
  let last = add('/features/features.0/features.0.0/Conv', 'conv', 'Conv + Clip', [], 3, 2, 32);
  let channels = 32;
  let index = 1;
  for (const [expansion, out, repeats, firstStride] of blocks) {
    for (let repeat = 0; repeat < repeats; repeat++, index++) {
      const stride = repeat === 0 ? firstStride : 1;
      const start = last;
      const prefix = `/features/features.${index}/conv`;
      if (expansion > 1) last = add(`${prefix}/conv.0/Conv`, 'conv', 'Conv + Clip', [last], 1, 1, channels * expansion);
      last = add(`${prefix}/conv.1/Conv`, 'depthwise', 'Conv + Clip', [last], 3, stride, channels * expansion, true);
      last = add(`${prefix}/conv.2/Conv`, 'conv', 'Conv', [last], 1, 1, out);
      if (stride === 1 && channels === out)
        last = add(`/features/features.${index}/Add`, 'add', 'Add', [start, last], 0, 1, out);
      channels = out;
    }
  }
  last = add('/features/features.18/features.18.0/Conv', 'conv', 'Conv + Clip', [last], 1, 1, 1280);
  last = add('/GlobalAveragePool', 'globalAveragePool', 'GlobalAveragePool + Flatten', [last], 7, 1, 1280);
  add('/classifier/classifier.1/Gemm', 'fullyConnected', 'Gemm', [last], 1, 1, 1000);
  return specs;
}

/** The layers before any plan. */
export function mobilenetLayers(): LayerView[] {
  const layers: LayerView[] = [];
  for (const [id, spec] of architecture().entries()) {
    const source = spec.inputs.length === 0 ? { h: 224, w: 224, c: 3 } : layers[spec.inputs[0]].output!;
    const size =
      spec.kind === 'globalAveragePool' || spec.kind === 'fullyConnected' ? 1 : Math.ceil(source.h / spec.stride);
    const perPixel = spec.kernel * spec.kernel * (spec.group ? 1 : source.c);
    const weighted = spec.kind === 'conv' || spec.kind === 'depthwise' || spec.kind === 'fullyConnected';
    layers.push({
      id,
      name: spec.name,
      kind: spec.kind,
      operators: spec.operators,
      inputs: spec.inputs,
      output: { h: size, w: size, c: spec.channels },
      outputName: `${spec.name}_output_0`,
      detail:
        weighted && spec.kind !== 'fullyConnected'
          ? `${spec.kernel}×${spec.kernel}${spec.stride > 1 ? ` s${spec.stride}` : ''}`
          : '',
      macs: weighted ? size * size * spec.channels * perPixel : 0,
      parameters: weighted ? spec.channels * (perPixel + 1) : 0,
      problem: null,
      plan: null,
    });
  }
  return layers;
}

export function modelOf(name: string, layers: readonly LayerView[], problems: ModelView['problems'] = []): ModelView {
  const last = layers[layers.length - 1]?.output;
  return {
    name,
    file: `/home/user/models/${name}.onnx`,
    fileBytes: 14_156_558,
    opset: 13,
    producer: 'pytorch 2.1.0',
    inputs: [{ name: 'input', type: 'float32', shape: '1×3×224×224' }],
    outputs: [{ name: 'output', type: 'float32', shape: `1×${last?.c ?? 1}` }],
    layers,
    problems,
    macs: layers.reduce((sum, layer) => sum + layer.macs, 0),
    parameters: layers.reduce((sum, layer) => sum + layer.parameters, 0),
  };
}

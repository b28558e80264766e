import { FloatSession, type Observed } from '../calibration/session';
import { loadSamples } from '../calibration/inputs';
import { spread, type SampleSet } from '../calibration/samples';
import type { Preprocess } from '../calibration/types';
import type { Graph, LayerId, MapId } from '../graph/types';
import type { StepResult } from '../program/interpreter';
import type { Program, Step } from '../program/types';
import type { Progress } from '../common/progress';
import type { MapFormat } from '../quantize/types';
import { IntegerRunner } from './integerRunner';
import { decibels, type LayerAgreement } from './types';

interface Sums {
  signal: number;
  noise: number;
}

/**
 * Runs both networks over at most `images` of the samples and compares what every layer writes with the float network's
 * feature map.
 *
 * @param formats in which each map is stored in regular branches and in the tail
 * @throws UserError when no sample can be used or the maps do not fit into memory; CancelledError
 */
export async function compareLayers(
  graph: Graph,
  modelPath: string,
  program: Program,
  formats: ReadonlyMap<MapId, MapFormat>,
  set: SampleSet,
  preprocess: Preprocess,
  images: number,
  progress: Progress,
): Promise<LayerAgreement[]> {
  const chosen = { ...set, samples: spread(set.samples.length, images).map((i) => set.samples[i]) };
  const written = [
    ...new Set(program.steps.filter((s) => writesMap(program, s)).map((s) => program.buffers[s.output.buffer].map!)),
  ];
  const sums = new Map<LayerId, Sums>();
  const runner = new IntegerRunner({ program, network: graph, preprocess });
  const session = await FloatSession.open(graph, modelPath, { maps: written, preClamp: [] }, { progress });
  try {
    // Notes on damaged files were given when the outputs were compared.
    for await (const { inputs, index } of loadSamples(chosen, graph, preprocess, 'Comparing layers', progress, [])) {
      await session.run(inputs.map((i) => i.real));
      await runner.run(
        { index, inputs },
        {
          afterStep: (result) => {
            if (!writesMap(program, result.step)) return;
            const { layer } = result.step;
            if (!sums.has(layer)) sums.set(layer, { signal: 0, noise: 0 });
            const map = program.buffers[result.step.output.buffer].map!;
            addStep(program, result, session.map(map), graph.maps[map].shape, formats.get(map)!, sums.get(layer)!);
          },
        },
      );
    }
  } finally {
    await session.dispose();
  }
  return graph.layers
    .filter((l) => sums.has(l.id))
    .map((l) => ({
      layer: l.id,
      name: l.name,
      kind: l.kind,
      snr: decibels(sums.get(l.id)!.signal, sums.get(l.id)!.noise),
    }));
}

/** Whether a step computes (a part of) a feature map: not a view of one, nor what only moves codes. */
function writesMap(program: Program, { kernel, output }: Step): boolean {
  const { role, map } = program.buffers[output.buffer];
  return (
    map !== null &&
    role !== 'view' &&
    role !== 'cache' &&
    kernel.op !== 'copy' &&
    kernel.op !== 'load' &&
    kernel.op !== 'fill' &&
    kernel.op !== 'classify'
  );
}

/** Adds the squares of one step's region: codes against the same part of the float map. */
function addStep(
  program: Program,
  { step, codes }: StepResult,
  { values, layout }: Observed,
  shape: { h: number; w: number; c: number },
  format: MapFormat,
  sums: Sums,
): void {
  const { region, channel, channels, buffer } = step.output;
  const { bits } = program.buffers[buffer];
  // In branches of outlier class a map of fewer bits has finer 8-bit codes, see lowering/formats.ts.
  const exponent = format.bits - bits;
  const scale = (c: number): number => format.scales[format.scales.length === 1 ? 0 : c] * 2 ** exponent;
  const zero = (c: number): number => format.zeroPoints[format.zeroPoints.length === 1 ? 0 : c] * 2 ** -exponent;
  const scales = Float64Array.from({ length: channels }, (_, c) => scale(channel + c));
  const zeros = Float64Array.from({ length: channels }, (_, c) => zero(channel + c));
  const perChannel = layout === 'CHW' ? shape.h * shape.w : 1;
  const perPixel = layout === 'CHW' ? 1 : shape.c;
  let signal = 0;
  let noise = 0;
  let i = 0;
  for (let y = region.y0; y < region.y1; y++) {
    for (let x = region.x0; x < region.x1; x++) {
      let p = (y * shape.w + x) * perPixel + channel * perChannel;
      for (let c = 0; c < channels; c++, p += perChannel) {
        const reference = values[p];
        const error = reference - scales[c] * (codes[i++] - zeros[c]);
        signal += reference * reference;
        noise += error * error;
      }
    }
  }
  sums.signal += signal;
  sums.noise += noise;
}

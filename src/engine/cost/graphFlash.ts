import type { Bits, WeightBits } from '../graph/bits';
import type { Graph, LayerId } from '../graph/types';
import { buildSchedule, type Schedule } from '../schedule/schedule';
import { scheduleRules } from '../schedule/scheduleRules';
import type { Core } from '../targets/types';
import { estimateFlash } from './flashEstimate';
import { chooseForms, type FormOptions } from './forms';
import { totalInstructions } from './latency';
import { scheduleWork, type Work } from './work';

const schedules = new WeakMap<Graph, Schedule>();

/**
 * Flash of a network layer by layer with 8-bit maps and its weights as planned, an estimate before it is quantized: the
 * least that it takes with weights of these bits, in the form of least flash.
 */
export function graphFlashBytes(graph: Graph, weightBits: (layer: LayerId) => WeightBits, core: Core): number {
  return estimateFlash(layerwiseWork(graph, weightBits), new Map(), core);
}

/** Flash and instructions layer by layer with everything at 8 bits, in forms as they are chosen for a plan. */
export function int8Layerwise(
  graph: Graph,
  options: FormOptions,
): { readonly flashBytes: number; readonly instructions: number } {
  const work = layerwiseWork(graph, () => 8);
  const forms = chooseForms(work, options);
  const { core } = options;
  return { flashBytes: estimateFlash(work, forms, core), instructions: totalInstructions(work, 0, core, forms) };
}

function layerwiseWork(graph: Graph, weightBits: (layer: LayerId) => WeightBits): Work[] {
  let schedule = schedules.get(graph);
  if (!schedule) {
    const eight = (): Bits => 8;
    const { bits, options } = scheduleRules(graph, null, { mapBits: eight, inputBits: eight });
    schedules.set(graph, (schedule = buildSchedule(graph, null, bits, options)));
  }
  return scheduleWork(graph, schedule, { weights: weightBits });
}

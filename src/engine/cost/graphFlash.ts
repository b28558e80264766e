import type { Bits, WeightBits } from '../graph/bits';
import type { Graph, LayerId } from '../graph/types';
import { buildSchedule, type Schedule } from '../schedule/schedule';
import { scheduleRules } from '../schedule/scheduleRules';
import type { Core } from '../targets/types';
import { estimateFlash } from './flashEstimate';
import { chooseForms, type FormOptions } from './forms';
import { scheduleWork, type Work } from './work';

const schedules = new WeakMap<Graph, Schedule>();

/**
 * Flash of a network layer by layer with 8-bit maps and its weights as planned, an estimate before it is quantized: the
 * least that it takes with weights of these bits, in the form of least flash.
 */
export function graphFlashBytes(graph: Graph, weightBits: (layer: LayerId) => WeightBits, core: Core): number {
  return estimateFlash(layerwiseWork(graph, weightBits), new Map(), core);
}

/** The same with everything at 8 bits in forms as they are chosen for a plan. */
export function int8LayerwiseFlashBytes(graph: Graph, options: FormOptions): number {
  const work = layerwiseWork(graph, () => 8);
  return estimateFlash(work, chooseForms(work, options), options.core);
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

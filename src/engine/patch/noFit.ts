import type { Graph } from '../graph/types';
import type { Bits } from '../graph/bits';
import { stepNeeds } from '../arena/lowerBound';
import { MemoryEstimator } from './estimate';
import { scheduleArena } from '../schedule/scheduleArena';
import type { NoFit, PatchCandidate, PatchPlanning, PlannerOptions, Remedy } from './types';

/** Plans again with other options, for the first plan that fits. */
type PlanAgain = (changed: Partial<PlannerOptions>) => PatchPlanning;

/** Why not even the closest plan fits, and what would help. */
export function explainNoFit(
  graph: Graph,
  options: PlannerOptions,
  closest: PatchCandidate,
  planAgain: PlanAgain,
): NoFit {
  const peak = peakOf(graph, options, closest);
  const remedies = options.firstFit ? [] : findRemedies(graph, options, closest, peak, planAgain);
  return { closest, missingBytes: closest.arenaBytes - options.sramBytes, peak, remedies };
}

/** One line for the user. */
export function noFitText(noFit: NoFit, sramBytes: number): string {
  const { closest, missingBytes, peak, remedies } = noFit;
  const { choice, tailStages } = closest;
  const first = choice ? `in ${choice.grid.rows}×${choice.grid.cols} patches` : 'layer by layer';
  const how =
    tailStages.length > 0
      ? `${first}, ${tailStages.length} stage${tailStages.length === 1 ? '' : 's'} of the tail in patches as well`
      : first;
  const buffers = peak.buffers
    .slice(0, 3)
    .map((b) => `"${b.map}" ${b.bytes} bytes at ${b.bits} bits`)
    .join(', ');
  const [remedy] = remedies;
  const help = !remedy
    ? ''
    : remedy.fits
      ? ` It would fit with ${remedy.change}.`
      : ` ${remedy.change[0].toUpperCase()}${remedy.change.slice(1)} would bring it to ${remedy.arenaBytes} bytes.`;
  return (
    `Does not fit: at least ${closest.arenaBytes} bytes of SRAM are needed (${how}), ${missingBytes} more ` +
    `than the ${sramBytes} available. The peak is at layer "${peak.layer}" in the ${peak.where}: ` +
    `${buffers}.${help}`
  );
}

function peakOf(
  graph: Graph,
  options: PlannerOptions,
  { choice, tailStages }: PatchCandidate,
): NoFit['peak'] & { readonly ids: readonly number[] } {
  const { memory } = options;
  const schedule = new MemoryEstimator(graph, memory).schedule(choice, tailStages);
  const { requests, overlaps, buffers } = scheduleArena(graph, schedule, memory);
  const needs = stepNeeds(requests, overlaps).filter((n) => n.step >= 0 && n.step < schedule.steps.length);
  const { step, bytes } = needs.reduce((a, b) => (b.bytes > a.bytes ? b : a), { step: 0, bytes: 0 });
  const alive = buffers
    .filter((_, i) => requests[i].first <= step && requests[i].last >= step)
    .map((id) => schedule.buffers[id]);
  alive.sort((a, b) => b.bytes - a.bytes);
  return {
    layer: graph.layers[schedule.steps[step].layer].name,
    where: schedule.steps[step].branch === null ? 'tail' : 'stage',
    bytes,
    buffers: alive.map((b) => ({ map: graph.maps[b.map].name, role: b.role, bits: b.bits, bytes: b.bytes })),
    ids: alive.map((b) => b.map),
  };
}

function findRemedies(
  graph: Graph,
  options: PlannerOptions,
  closest: PatchCandidate,
  peak: ReturnType<typeof peakOf>,
  planAgain: PlanAgain,
): Remedy[] {
  const { memory, sramBytes } = options;
  const remedies: Remedy[] = [];
  const attempt = (change: string, changed: Partial<PlannerOptions>): void => {
    // The first that helps is enough: they are tried cheapest first.
    if (remedies.some((r) => r.fits)) return;
    const { best, noFit } = planAgain(changed);
    const arenaBytes = best?.arenaBytes ?? noFit?.closest.arenaBytes ?? Infinity;
    if (arenaBytes < closest.arenaBytes) remedies.push({ change, arenaBytes, fits: best !== null });
  };
  const largest = options.largestGrid ?? { rows: 8, cols: 8 };
  if (options.grid || options.splitMap !== undefined)
    attempt('another grid or split point', { grid: undefined, splitMap: undefined });
  else
    attempt(`patches up to ${2 * largest.rows}×${2 * largest.cols}`, {
      largestGrid: { rows: 2 * largest.rows, cols: 2 * largest.cols },
    });
  if (!memory.externalInputs) attempt('the input outside the arena', { memory: { ...memory, externalInputs: true } });
  for (const bits of [4, 2] as const) {
    const maps = [...new Set(peak.ids)]
      .filter((map) => graph.maps[map].producer !== null && memory.bits.stored(map, null) > bits)
      .slice(0, 2);
    if (maps.length === 0) continue;
    const lower = new Set(maps);
    const stored: typeof memory.bits.stored = (map, scope) =>
      lower.has(map) ? (Math.min(bits, memory.bits.stored(map, scope)) as Bits) : memory.bits.stored(map, scope);
    attempt(`${bits} bits for ${maps.map((m) => `"${graph.maps[m].name}"`).join(' and ')}`, {
      memory: { ...memory, bits: { ...memory.bits, stored } },
    });
  }
  const { h, w } = graph.maps[graph.inputs[0].map].shape;
  // Maps shrink with the square of the input's side.
  const scale = Math.sqrt(sramBytes / closest.arenaBytes);
  if (h * scale >= 1 && w * scale >= 1) {
    remedies.push({
      change: `an input of about ${Math.floor(h * scale)}×${Math.floor(w * scale)} instead of ${h}×${w}`,
      arenaBytes: sramBytes,
      fits: true,
    });
  }
  return remedies.sort((a, b) => Number(b.fits) - Number(a.fits));
}

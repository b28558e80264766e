import { scheduleInstructions } from '../../src/engine/cost/scheduleInstructions';
import { isOutside } from '../../src/engine/graph/bits';
import type { Graph } from '../../src/engine/graph/types';
import type { MemoryModel } from '../../src/engine/patch/estimate';
import { planForBudgets, planPatches } from '../../src/engine/patch/planner';
import type { PatchCandidate } from '../../src/engine/patch/types';
import { buildSchedule } from '../../src/engine/schedule/schedule';
import { scheduleRules } from '../../src/engine/schedule/scheduleRules';
import { streamNetworks } from './streamNetworks';

/**
 * Prints a row for each network, place of the input and way: the least arena without streams, then with them, and the
 * plan with the least work in somewhat more.
 */
export function writeStreams(models: RegExp, write: (line: string) => void): void {
  write('| network | input | memory | arena, bytes | more MACs | more instructions | stages | seconds | msf-CNN |');
  write('|---|---|---|---:|---:|---:|---|---:|---|');
  for (const { name, graph, msf } of streamNetworks().filter((n) => models.test(n.name))) {
    const published = msf ? `${msf.bytes} bytes, +${msf.moreMacs} %` : '–';
    for (const input of ['external', 'tiles'] as const) {
      const { bits, options: schedule } = scheduleRules(graph, null, { mapBits: () => 8, inputBits: () => 8 }, input);
      const memory: MemoryModel = { bits, schedule, externalInputs: isOutside(input), classes: 'regular' };
      const once = scheduleInstructions(graph, buildSchedule(graph, null, bits, schedule), bits, 0, 'cortex-m4');
      const row = (what: string, found: PatchCandidate | null, seconds: number): void =>
        write(
          `| ${name} | ${input} | ${what} | ${found ? figures(graph, found, once) : '– | – | – | –'} | ` +
            `${seconds.toFixed(1)} | ${published} |`,
        );
      const timed = <T>(make: () => T): [T, number] => {
        const begin = performance.now();
        const made = make();
        return [made, (performance.now() - begin) / 1000];
      };
      const options = { memory, strategies: ['recompute', 'keep', 'hybrid'] } as const;
      const budgets = planForBudgets(graph, options);
      const [plain, plainSeconds] = timed(() => budgets.least()!);
      row('least without streams', plain, plainSeconds);
      const [least, leastSeconds] = timed(() => budgets.leastStream()!);
      for (const share of [1.4, 1.2, 1.1])
        if (least.arenaBytes * share < plain.arenaBytes) {
          const sramBytes = Math.floor(least.arenaBytes * share);
          const [{ best }, seconds] = timed(() => planPatches(graph, { ...options, sramBytes, firstFit: true }));
          row(`${sramBytes} bytes`, best, seconds);
        }
      row('least', least, leastSeconds);
    }
  }
}

function figures(graph: Graph, found: PatchCandidate, once: number): string {
  const { choice, tailStages, arenaBytes, macs, redundantMacs, extraInstructions } = found;
  const stages = [...(choice ? [choice] : []), ...tailStages];
  const streamed = stages.filter((stage, i) => stage.streamed || stages[i - 1]?.streamed);
  const grids = streamed.map(({ grid, stage }) => {
    const { h, w, c } = graph.maps[stage.splitMap].shape;
    return `${grid.rows}×${grid.cols} of ${h}×${w}×${c}`;
  });
  const rest = stages.length - streamed.length;
  return (
    `${arenaBytes} | ${((100 * redundantMacs) / (macs - redundantMacs)).toFixed(1)} % | ` +
    `${((100 * extraInstructions) / once).toFixed(0)} % | ${grids.join(' → ')}${grids.length > 0 ? ' and ' : ''}` +
    `${rest} others`
  );
}

import type { Progress } from '../engine/common/progress';
import { latencyError } from '../engine/cost/latency';
import { checkFit, type BoardFit, type Fit, type FitBoard, type FitWay } from '../engine/run/fit';
import { readNetwork } from '../engine/run/readNetwork';
import { arenaTarget } from '../engine/targets/capacity';
import { customTarget, customTargetId, targets } from '../engine/targets/targets';
import type { Target } from '../engine/targets/types';
import { text, type CommandResult } from './command';
import { capacityOf, one, sizesOf, type Values } from './commandOptions';

/** `quantmcu fit`: which boards a model fits, without images. */
export const fitCommand = {
  synopsis: 'fit MODEL [--target ID [--sram BYTES] [--flash BYTES] [--core CORE]] [--sizes NAME=N,…]',
  summary: 'SRAM, flash and estimated time of a model on every board, layer by layer and in patches; needs no images',
  options: { target: text, sram: text, flash: text, core: text, sizes: text },
  example: 'fit model.onnx --target nano33ble',
  optionHelp: { target: { value: 'ID', text: 'one board, or custom with its sizes', fallback: 'every board' } },
  run: fitModel,
};

async function fitModel(positionals: readonly string[], values: Values, progress: Progress): Promise<CommandResult> {
  const file = one(positionals, 'MODEL');
  const { graph } = await readNetwork({ modelPath: file, sizes: await sizesOf(values, file) });
  const fit = await checkFit(graph, boardsOf(values), progress);
  return { text: fitText(fit), json: fit };
}

/** The board that was asked for, or all. */
function boardsOf(values: Values): FitBoard[] {
  if (values.target === undefined) return targets.map((target) => boardOf(target));
  const capacity = capacityOf(values);
  const own = capacity.id === customTargetId;
  const target = own ? customTarget(capacity) : targets.find(({ id }) => id === capacity.id)!;
  return [{ ...boardOf(target, capacity), clockMHz: own ? 0 : target.clockMHz }];
}

/** A board of the table as a fit check takes it. */
export function boardOf(target: Target, limits: { sramBytes?: number; flashBytes?: number } = {}): FitBoard {
  const { id, name, core, clockMHz, memory } = target;
  const { sramBytes, flashBytes } = arenaTarget(target, limits);
  return { id, name, core, clockMHz, memory, sramBytes, flashBytes };
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
const milliseconds = (ms: number | null, board: FitBoard): string =>
  ms === null ? 'no estimate' : `${ms.toFixed(0)} ± ${(ms * latencyError(board)).toFixed(0)} ms`;

function fitText({ layerwise, least, flashBytes, boards }: Fit): string {
  return [
    `8 bits, layer by layer: arena ${kib(layerwise.arenaBytes)}, flash about ${kib(flashBytes[8])}`,
    `In patches: arena from ${kib(least[8].arenaBytes)} at 8 bits, from ${kib(least[4].arenaBytes)} with 4-bit maps`,
    `With 4-bit weights: flash about ${kib(flashBytes[4])}`,
    ...boards.map((fit) => `${verdictText(fit)}\t${fit.board.id}\t${wayText(fit)}`),
  ].join('\n');
}

function verdictText({ verdict }: BoardFit): string {
  return { fits: 'fits', tight: 'tight', no: 'does not fit' }[verdict];
}

function howText({ grid, tailStages, streamed }: FitWay): string {
  if (streamed) return 'stages streamed into one another';
  if (grid) return `${grid.rows}×${grid.cols} patches`;
  return tailStages > 0 ? 'in patches' : 'layer by layer';
}

function wayText({ verdict, way, board }: BoardFit): string {
  const how = howText(way);
  const bits = `${way.mapBits}-bit maps, ${way.weightBits}-bit weights`;
  if (verdict === 'no') {
    const needs = [
      way.arenaBytes > board.sramBytes ? `${kib(way.arenaBytes)} of SRAM (there are ${kib(board.sramBytes)})` : '',
      way.flashBytes > board.flashBytes ? `${kib(way.flashBytes)} of flash (there are ${kib(board.flashBytes)})` : '',
    ].filter((part) => part !== '');
    return `needs at least ${needs.join(' and ')}`;
  }
  return (
    `${how}, ${bits}: arena ${kib(way.arenaBytes)} of ${kib(board.sramBytes)}, flash ${kib(way.flashBytes)} of ` +
    `${kib(board.flashBytes)}, ${milliseconds(way.latencyMs, board)}`
  );
}

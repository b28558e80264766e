/** What-ifs that the planner answers: another board, grid, λ or stage. It takes up to seconds on large networks. */
import type { Calibration } from '../../calibration/types';
import { decide } from '../decide';
import { endedBy } from '../limits';
import { allLocked } from '../lockedDecisions';
import { accountOf } from '../planWriter';
import type { DecideOptions } from '../decisionTypes';
import { classifyPatches } from '../classifyPatches';
import { UserError } from '../../common/errors';
import { searchedBits } from '../../graph/bits';
import type { Graph } from '../../graph/types';
import type { PatchChoice } from '../../patch/estimate';
import { stageUpTo } from '../../schedule/stages';
import { decisionsOf } from '../../planned/decisions';
import { resolveStage, resolveTailStages } from '../../planned/stage';
import type { PatchStage, Plan, TailStage } from '../../plan/types';
import type { Progress } from '../../common/progress';
import { arenaTarget } from '../../targets/capacity';
import { findTarget } from '../../targets/targets';
import type { NamedStage, NamedTailStage } from './changes';
import { previewFigures } from './previewFigures';

/**
 * The plan on another board of the table, with its whole memory. Where it does not fit and other patches at the same
 * bits do, it gets those. @throws UserError for an unknown board
 */
export function changeTarget(
  graph: Graph,
  plan: Plan,
  id: string,
  file: string,
  calibration: Calibration | null,
  progress: Progress,
): Plan {
  const { input } = plan.target;
  const moved: Plan = { ...plan, target: { ...arenaTarget(findTarget(id), {}), ...(input ? { input } : {}) } };
  if (!calibration || previewFigures(graph, moved, file).arenaBytes <= moved.target.sramBytes) return moved;
  try {
    return changeGrid(graph, moved, 'auto', calibration, progress);
  } catch (error) {
    // Nothing fits at these bits: the figures say by how much.
    if (error instanceof UserError) return moved;
    throw error;
  }
}

/** The plan with its patches planned again and its bits unchanged. @throws UserError when nothing fits */
export function changeGrid(
  graph: Graph,
  plan: Plan,
  grid: DecideOptions['grid'],
  calibration: Calibration,
  progress: Progress,
): Plan {
  const { patchStage, tailStages } = decide(
    graph,
    calibration,
    { ...optionsOf(plan, grid), locked: allLocked(graph, plan) },
    progress,
  );
  return withStages(plan, patchStage, tailStages);
}

/**
 * The plan with bits searched again by another λ. @throws UserError when nothing fits, or its bits come from another
 * kind of search
 */
export function changeLambda(
  graph: Graph,
  plan: Plan,
  lambda: number,
  calibration: Calibration,
  progress: Progress,
): Plan {
  if (!(lambda >= 0 && lambda <= 1)) throw new UserError('λ must be between 0 and 1.');
  if (plan.search.method === 'sensitivity')
    throw new UserError(
      'These bits come from measured sensitivities, which do not use λ. Quantize again with the entropy score ' +
        '(setting quantmcu.search, or --search entropy).',
    );
  const changed: Plan = { ...plan, search: { ...plan.search, lambda } };
  const { patchStage, tailStages, maps, layers, reasons, notes } = decide(
    graph,
    calibration,
    { ...optionsOf(changed, 'auto'), locked: { maps: plan.maps, layers: plan.layers } },
    progress,
  );
  const found = { ...withStages(changed, patchStage, tailStages), maps, layers };
  const limitedBy = endedBy({}, plan.search.bits);
  return { ...found, account: accountOf({ loss: null, limitedBy, notes }, { reasons }, found) };
}

/** The plan with one of the planner's stages, or with none. @throws UserError where the network has no such stage */
export function chooseStage(
  graph: Graph,
  plan: Plan,
  choice: NamedStage | null,
  tail: readonly NamedTailStage[],
  file: string,
  calibration: Calibration,
): Plan {
  const tailStages = tail.map(({ rows, cols, ...others }): TailStage => ({ ...others, grid: { rows, cols } }));
  if (!choice) return withStages(plan, null, tailStages);
  const mapOf = (name: string): number => {
    const map = graph.maps.find((m) => m.name === name);
    if (!map) throw new UserError(`The model has no feature map "${name}": it has changed. Open it again.`);
    return map.id;
  };
  const stage = stageUpTo(graph, mapOf(choice.splitMap));
  if (!stage) throw new UserError(`The patch stage cannot end at "${choice.splitMap}".`);
  const { rows, cols, ...named } = choice;
  const classMode = plan.patchStage?.classMode ?? 'static';
  // The tail's stages are resolved with the patch stage that precedes them.
  const behind: PatchStage = { ...named, grid: { rows, cols }, classMode: 'static', classes: [], runtime: null };
  const patches: PatchChoice = {
    stage,
    grid: { rows, cols },
    keep: new Set(named.keep.map(mapOf)),
    keepColumns: new Set(named.keepColumns?.map(mapOf)),
    streamed: named.streamed,
    tailStages: resolveTailStages(graph, { patchStage: behind, tailStages }, file),
  };
  return withStages(plan, classified(graph, plan, patches, classMode, file, calibration), tailStages);
}

/**
 * The plan with its patches classified by another φ, as many of the outlier class as the SRAM allows. @throws UserError
 * where classes are not decided by calibration
 */
export function changePhi(graph: Graph, plan: Plan, phi: number, file: string, calibration: Calibration): Plan {
  if (!(phi > 0 && phi < 1)) throw new UserError('φ must be between 0 and 1.');
  if (!plan.patchStage) throw new UserError('This plan runs layer by layer: it has no patches.');
  if (plan.patchStage.classMode === 'runtime')
    throw new UserError(
      'The test on the board uses limits fixed when the model was quantized. Quantize again with another φ.',
    );
  const patches = resolveStage(graph, plan.patchStage, file)!;
  const changed: Plan = { ...plan, search: { ...plan.search, phi } };
  return {
    ...changed,
    patchStage: classified(
      graph,
      changed,
      { ...patches, tailStages: resolveTailStages(graph, plan, file) },
      'static',
      file,
      calibration,
    ),
  };
}

function classified(
  graph: Graph,
  plan: Plan,
  choice: PatchChoice,
  classes: PatchStage['classMode'],
  file: string,
  calibration: Calibration,
): PatchStage {
  return classifyPatches(
    graph,
    calibration,
    choice,
    decisionsOf(graph, plan, file),
    { ...plan.search, classes, target: plan.target },
    [],
  );
}

function withStages(
  { tailStages: _, ...plan }: Plan,
  patchStage: PatchStage | null,
  tailStages: readonly TailStage[],
): Plan {
  return { ...plan, patchStage, ...(tailStages.length > 0 ? { tailStages } : {}) };
}

function optionsOf(plan: Plan, grid: DecideOptions['grid']): DecideOptions {
  const { phi, lambda, epsilon, bits, weights } = plan.search;
  return {
    target: plan.target,
    grid,
    bits: searchedBits(bits),
    weights,
    phi,
    lambda,
    epsilon,
    classes: plan.patchStage?.classMode ?? 'static',
  };
}

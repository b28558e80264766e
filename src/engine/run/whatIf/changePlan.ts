import type { Calibration } from '../../calibration/types';
import { UserError } from '../../common/errors';
import { isWeighted, type Graph, type LayerId, type MapId } from '../../graph/types';
import { decisionsOf } from '../../planned/decisions';
import { resolveStage, resolveTailStages } from '../../planned/stage';
import type { Bits } from '../../graph/bits';
import type { LayerPlan, MapPlan, Plan } from '../../plan/types';
import type { Progress } from '../../common/progress';
import { formatTies } from '../../quantize/ties';
import type { PlanChange } from './changes';
import { changeGrid, changeLambda, changePhi, changeTarget, chooseStage } from './plannerChanges';

/**
 * The plan after a change; maps that share their bits change together.
 * @param calibration null where it is not cached on this machine: then only locks, patch classes and the board can be
 *   changed
 * @throws UserError in one line when the change is not possible; CancelledError
 */
export function changePlan(...change: Parameters<typeof apply>): Plan {
  const [graph, , , file] = change;
  const changed = apply(...change);
  // Violations of the arithmetic's rules are reported as for a sidecar edited by hand.
  decisionsOf(graph, changed, file);
  resolveStage(graph, changed.patchStage, file);
  resolveTailStages(graph, changed, file);
  return changed;
}

function apply(
  graph: Graph,
  plan: Plan,
  change: PlanChange,
  file: string,
  calibration: Calibration | null,
  progress: Progress,
): Plan {
  // Other bits need other parameters; without the statistics there would be a plan that nothing can open.
  const statistics = (): Calibration => {
    if (!calibration)
      throw new UserError(
        'This needs the calibration, which is not cached on this machine. Quantize the model again with its ' +
          `sample images (${plan.calibration.folder}).`,
      );
    return calibration;
  };
  switch (change.kind) {
    case 'mapBits':
      statistics();
      return setMapBits(graph, plan, sharing(graph, layerAt(graph, change.layer).output), change.bits);
    case 'inputBits': {
      statistics();
      const layer = layerAt(graph, change.layer);
      if (!isWeighted(layer)) throw new UserError(`"${layer.name}" has no weights: it reads its input as stored.`);
      const stored = mapPlan(graph, plan, layer.inputs[0]).bits;
      if (change.bits > stored)
        throw new UserError(
          `"${layer.name}" cannot read more than the ${stored} bits its input is stored with. Change the bits ` +
            'of the input map.',
        );
      return setLayer(plan, layer.name, ({ inputBits: _, ...rest }) =>
        change.bits < stored ? { ...rest, inputBits: change.bits } : rest,
      );
    }
    case 'weightBits': {
      statistics();
      const layer = layerAt(graph, change.layer);
      if (!isWeighted(layer)) throw new UserError(`"${layer.name}" has no weights.`);
      return setLayer(plan, layer.name, ({ weightBits: _, ...rest }) =>
        change.bits < 8 || rest.locked ? { weightBits: change.bits, ...rest } : rest,
      );
    }
    case 'lock':
      return lock(graph, plan, change.layer, change.locked);
    case 'patchClass':
      return classify(plan, change.branch, change.class);
    case 'phi':
      return changePhi(graph, plan, change.phi, file, statistics());
    case 'target':
      return changeTarget(graph, plan, change.id, file, calibration, progress);
    case 'grid':
      return changeGrid(graph, plan, change.grid, statistics(), progress);
    case 'lambda':
      return changeLambda(graph, plan, change.lambda, statistics(), progress);
    case 'stage':
      return chooseStage(graph, plan, change.stage, change.tailStages, file, statistics());
  }
}

function layerAt(graph: Graph, id: number): Graph['layers'][number] {
  const layer = graph.layers[id];
  if (!layer) throw new UserError(`The model has no layer ${id}: it has changed. Open it again.`);
  return layer;
}

/** The maps that share their bits with this one, itself included. */
function sharing(graph: Graph, map: MapId): MapId[] {
  const { bitGroup } = formatTies(graph);
  return graph.maps.filter(({ id }) => bitGroup[id] === bitGroup[map]).map(({ id }) => id);
}

function mapPlan(graph: Graph, plan: Plan, map: MapId): MapPlan {
  const { name } = graph.maps[map];
  return Object.hasOwn(plan.maps, name) ? plan.maps[name] : { bits: 8 };
}

/** Changes maps; entries that only repeat the default are removed, and the others stay in the graph's order. */
function setMaps(graph: Graph, plan: Plan, ids: readonly MapId[], change: (map: MapPlan) => MapPlan): Plan {
  const wanted = new Set(ids);
  const maps: Record<string, MapPlan> = { ...plan.maps };
  for (const { id, name } of graph.maps) {
    if (!wanted.has(id) && !Object.hasOwn(plan.maps, name)) continue;
    const { bits, locked } = wanted.has(id) ? change(mapPlan(graph, plan, id)) : plan.maps[name];
    // Deleted first, so that new entries find their place in the order.
    delete maps[name];
    if (bits !== 8 || locked) maps[name] = { bits, ...(locked ? { locked } : {}) };
  }
  return { ...plan, maps };
}

/** Layers that read or write 16 bits have weights of 8. */
function setMapBits(graph: Graph, plan: Plan, ids: readonly MapId[], bits: Bits): Plan {
  const changed = setMaps(graph, plan, ids, (map) => ({ ...map, bits }));
  if (bits !== 16) return changed;
  return graph.layers
    .filter(({ inputs, output }) => [...inputs, output].some((map) => ids.includes(map)))
    .filter(({ name }) => Object.hasOwn(changed.layers, name) && changed.layers[name].weightBits === 4)
    .reduce((result, { name }) => setLayer(result, name, withoutWeightBits), changed);
}

function withoutWeightBits({ weightBits: _, ...rest }: LayerPlan): LayerPlan {
  return rest.locked ? { weightBits: 8, ...rest } : rest;
}

function setLayer(plan: Plan, name: string, change: (layer: LayerPlan) => LayerPlan): Plan {
  const { [name]: old, ...others } = plan.layers;
  const changed = change(Object.hasOwn(plan.layers, name) ? old : {});
  if (Object.keys(changed).length === 0) return { ...plan, layers: others };
  return {
    ...plan,
    layers: Object.hasOwn(plan.layers, name) ? { ...plan.layers, [name]: changed } : { ...others, [name]: changed },
  };
}

function lock(graph: Graph, plan: Plan, id: LayerId, locked: boolean): Plan {
  const layer = layerAt(graph, id);
  const withMaps = setMaps(graph, plan, sharing(graph, layer.output), ({ bits }) =>
    locked ? { bits, locked } : { bits },
  );
  if (!isWeighted(layer)) return withMaps;
  return setLayer(withMaps, layer.name, ({ locked: _, weightBits = 8, ...rest }) => ({
    ...(weightBits < 8 || locked ? { weightBits } : {}),
    ...rest,
    ...(locked ? { locked } : {}),
  }));
}

function classify(plan: Plan, branch: number, kind: 'outlier' | 'regular'): Plan {
  const stage = plan.patchStage;
  if (!stage) throw new UserError('This plan runs layer by layer: it has no patches.');
  if (stage.classMode === 'runtime')
    throw new UserError(
      'Classes are decided on the board for each input. Quantize with static classes to choose them here.',
    );
  const { rows, cols } = stage.grid;
  if (!(branch >= 0 && branch < rows * cols)) throw new UserError(`There is no patch ${branch + 1}.`);
  const row = Math.floor(branch / cols);
  const col = branch % cols;
  const classes = stage.classes.map((text, r) =>
    r === row ? `${text.slice(0, col)}${kind === 'outlier' ? 'O' : '.'}${text.slice(col + 1)}` : text,
  );
  return { ...plan, patchStage: { ...stage, classes } };
}

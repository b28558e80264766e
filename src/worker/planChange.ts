import type { Calibration } from '../engine/calibration/types';
import { UserError } from '../engine/errors';
import { isWeighted, type Graph, type LayerId, type MapId } from '../engine/graph/types';
import { patchSpans } from '../engine/patch/branches';
import { decisionsOf } from '../engine/plan/decisions';
import { classRows, resolveStage } from '../engine/plan/stage';
import type { LayerPlan, MapPlan, Plan } from '../engine/plan/types';
import { formatTies } from '../engine/quantize/ties';
import { rankPositions, topPositions } from '../engine/vdpc/classify';
import { boundsOfSpans } from '../engine/vdpc/patchBounds';
import type { PlanChange } from '../protocol/changes';

/**
 * The plan after a change; maps that share their bits change together.
 * @param calibration null where it is not cached on this machine; only a change of φ needs it
 * @throws UserError in one line when the change is not possible
 */
export function changePlan(graph: Graph, plan: Plan, change: PlanChange, file: string, calibration: Calibration | null): Plan {
  const changed = apply(graph, plan, change, calibration);
  // What the arithmetic forbids is said as for a sidecar that was edited by hand.
  decisionsOf(graph, changed, file);
  resolveStage(graph, changed.patchStage, file);
  return changed;
}

function apply(graph: Graph, plan: Plan, change: PlanChange, calibration: Calibration | null): Plan {
  switch (change.kind) {
    case 'mapBits':
      return setMaps(graph, plan, sharing(graph, layerAt(graph, change.layer).output), (map) => ({ ...map, bits: change.bits }));
    case 'inputBits': {
      const layer = layerAt(graph, change.layer);
      if (!isWeighted(layer)) throw new UserError(`"${layer.name}" has no weights: it reads its input as it is stored.`);
      const stored = mapPlan(graph, plan, layer.inputs[0]).bits;
      if (change.bits > stored) throw new UserError(`"${layer.name}" cannot read more than the ${stored} bits that its input is stored with. Change the bits of the input map.`);
      return setLayer(plan, layer.name, ({ inputBits: _, ...rest }) => (change.bits < stored ? { ...rest, inputBits: change.bits } : rest));
    }
    case 'weightBits': {
      const layer = layerAt(graph, change.layer);
      if (!isWeighted(layer)) throw new UserError(`"${layer.name}" has no weights.`);
      return setLayer(plan, layer.name, ({ weightBits: _, ...rest }) => (change.bits < 8 || rest.locked ? { weightBits: change.bits, ...rest } : rest));
    }
    case 'lock':
      return lock(graph, plan, change.layer, change.locked);
    case 'patchClass':
      return classify(plan, change.branch, change.class);
    case 'phi':
      return reclassify(graph, plan, change.phi, calibration);
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

/** Changes maps; entries that say no more than the default go, and the others stay in the graph's order. */
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

function setLayer(plan: Plan, name: string, change: (layer: LayerPlan) => LayerPlan): Plan {
  const { [name]: old, ...others } = plan.layers;
  const changed = change(Object.hasOwn(plan.layers, name) ? old : {});
  if (Object.keys(changed).length === 0) return { ...plan, layers: others };
  return { ...plan, layers: Object.hasOwn(plan.layers, name) ? { ...plan.layers, [name]: changed } : { ...others, [name]: changed } };
}

function lock(graph: Graph, plan: Plan, id: LayerId, locked: boolean): Plan {
  const layer = layerAt(graph, id);
  const withMaps = setMaps(graph, plan, sharing(graph, layer.output), ({ bits }) => (locked ? { bits, locked } : { bits }));
  if (!isWeighted(layer)) return withMaps;
  return setLayer(withMaps, layer.name, ({ locked: _, weightBits = 8, ...rest }) => ({ ...(weightBits < 8 || locked ? { weightBits } : {}), ...rest, ...(locked ? { locked } : {}) }));
}

function classify(plan: Plan, branch: number, kind: 'outlier' | 'regular'): Plan {
  const stage = plan.patchStage;
  if (!stage) throw new UserError('This plan runs layer by layer: it has no patches.');
  if (stage.classMode === 'runtime') throw new UserError('Classes are decided on the board for each input. Quantize with static classes to choose them here.');
  const { rows, cols } = stage.grid;
  if (!(branch >= 0 && branch < rows * cols)) throw new UserError(`There is no patch ${branch + 1}.`);
  const row = Math.floor(branch / cols);
  const col = branch % cols;
  const classes = stage.classes.map((text, r) => (r === row ? `${text.slice(0, col)}${kind === 'outlier' ? 'O' : '.'}${text.slice(col + 1)}` : text));
  return { ...plan, patchStage: { ...stage, classes } };
}

/** As the pipeline classifies: as many of the best-ranked positions as patches of an average image are outlier class. */
function reclassify(graph: Graph, plan: Plan, phi: number, calibration: Calibration | null): Plan {
  if (!(phi > 0 && phi < 1)) throw new UserError('φ lies between 0 and 1.');
  const stage = plan.patchStage;
  if (!stage) throw new UserError('This plan runs layer by layer: it has no patches.');
  if (stage.classMode === 'runtime') throw new UserError('The limits of the test on the board are part of the quantization. Quantize again with another φ.');
  if (!calibration?.patches) throw new UserError(`The calibration is not cached on this machine. Quantize the model again with its sample images (${plan.calibration.folder}).`);
  const map = graph.maps.find(({ name }) => name === stage.splitMap);
  if (!map) throw new UserError(`The model has no feature map "${stage.splitMap}".`);
  const { rows, cols } = stage.grid;
  const bounds = boundsOfSpans(patchSpans(map.shape.h, rows), patchSpans(map.shape.w, cols));
  const ranking = rankPositions(calibration.patches, bounds, phi, plan.search.epsilon);
  const frequent = Math.round(ranking.reduce((sum, { frequency }) => sum + frequency, 0));
  return { ...plan, search: { ...plan.search, phi }, patchStage: { ...stage, classes: classRows(topPositions(ranking, frequent), cols) } };
}


import * as path from 'node:path';
import { calibrateCached, defaultCachePath } from '../../src/engine/calibration/cache';
import { floatOutputs } from '../../src/engine/calibration/float';
import type { SampleInput } from '../../src/engine/calibration/inputs';
import { loadPreprocess } from '../../src/engine/calibration/preprocess';
import { listSamples } from '../../src/engine/calibration/samples';
import { LayerStream, type CodeChange } from '../../src/engine/compensate/layerStream';
import { observeTargets } from '../../src/engine/compensate/observeTargets';
import type { PatchClass } from '../../src/engine/graph/bits';
import { graphMacs, layerMacs } from '../../src/engine/graph/macs';
import { taskOf, type Task } from '../../src/engine/graph/task';
import { isWeighted, type Graph, type LayerId, type Shape } from '../../src/engine/graph/types';
import { importModel } from '../../src/engine/onnx';
import { inputFormats } from '../../src/engine/planned/inputs';
import { resolveStage } from '../../src/engine/planned/stage';
import { decodePort } from '../../src/engine/program/ports';
import { codeTables } from '../../src/engine/quantize/codeTables';
import { quantizeGraph } from '../../src/engine/quantize/quantizeGraph';
import type { MapFormat, QuantizedParameters } from '../../src/engine/quantize/types';
import { decide } from '../../src/engine/run/decide';
import { DEFAULTS } from '../../src/engine/run/options';
import type { Grid } from '../../src/engine/schedule/branches';
import { coreOf } from '../../src/engine/targets/targets';
import type { Core, PlanTarget } from '../../src/engine/targets/types';
import { rankPositions, topPositions, type PositionRank } from '../../src/engine/vdpc/classify';
import { equalBounds } from '../../src/engine/vdpc/patchBounds';
import { randomClasses } from '../../src/engine/vdpc/random';
import { decisionCost } from '../../src/engine/vdqs/decisionCost';
import { outputDivergence, type ImageOutputs } from '../../src/engine/vdqs/divergence';
import { decisionUnits, type DecisionUnit } from '../../src/engine/vdqs/units';
import { compensateVariants, type CompensatedVariants } from '../../src/engine/vdqs/variants';
import { sharedData } from '../support/sharedData';
import type { ReferenceNetwork } from './reference.mjs';

const silent = { report: () => undefined, isCancelled: () => false };
/** Drawings of random classes. */
const DRAWINGS = 3;
/** What regular patches read at. */
const BITS = 4;
/** Codes of 8 bits to a code of 4. */
const FINER = 16;
/** Images whose maps are in memory at once. */
const AT_ONCE = 40;
const BOARD = 'nano33ble';
/** Decisions that save a smaller share of the BitOPs are not measured by themselves where there are several. */
const LEAST_SAVED = 0.015;

/** A classifier whose maps do not fit in the SRAM layer by layer. */
export interface ClassesJob extends ReferenceNetwork {
  /** Images that weights are fitted to, and others that divergences are measured on. */
  readonly fitted: number;
  readonly images: number;
  /** Other images that patches are ranked on by what each costs. */
  readonly tuned: number;
  readonly sramBytes: number;
}

/** Divergence from the 8-bit network, by image. */
type Divergences = readonly number[];

/** What one set of decisions at 4 bits costs under several classes, on images that chose nothing. */
export interface ClassesRow {
  readonly name: string;
  /** Share of the network's BitOPs that 4 bits in all patches save. */
  readonly saved: number;
  /** Share of the estimated instructions that 4 bits in all patches save beside weights of 8 bits, and of 4 bits. */
  readonly time: { readonly weights8: number; readonly weights4: number };
  /** All patches at 4 bits. */
  readonly everywhere: Divergences;
  /** All at 8 bits with the range of the 4-bit codes and the weights fitted to them. */
  readonly nowhere: Divergences;
  /** Half of the patches at 8 bits: as VDPC ranks them, the mean of random drawings, by what each patch costs. */
  readonly ranked: Divergences;
  readonly random: Divergences;
  readonly measured: Divergences;
  /** Three quarters of the patches at 8 bits, by what each costs. */
  readonly cheapest: Divergences;
}

/**
 * What 4 bits in the patch stage cost, with classes of patches and without: the stage that the planner takes at 8 bits,
 * weights at 8 bits and fitted, every decision by itself and all at once. In patches of outlier class maps have 8 bits
 * with the range of the 4-bit codes, as in the firmware; pixels belong to the patch that they lie in. Classes by what
 * each patch costs stand for the best that a rule of positions can do: every patch alone is set to 4 bits in the
 * integer network, on images of their own.
 */
export async function classesOf(job: ClassesJob): Promise<{ grid: Grid; splitMap: string; rows: ClassesRow[] }> {
  const file = path.join(sharedData('models'), `${job.model}.onnx`);
  const graph = await importModel(file, {});
  const preprocess = await loadPreprocess(job.preprocess);
  const samples = await listSamples(sharedData('images', job.calibration), graph, job.fitted);
  const calibration = await calibrateCached(graph, file, samples, preprocess, defaultCachePath(), silent, []);
  const target: PlanTarget = {
    ...{ id: BOARD, sramBytes: job.sramBytes, flashBytes: 16 << 20, input: 'counted' },
  };
  const { phi, lambda, epsilon } = DEFAULTS;
  const search = { phi, lambda, epsilon, bits: [8], grid: 'auto', weights: 'auto', classes: 'static' } as const;
  const { patchStage } = decide(graph, calibration, { ...search, target }, silent);
  if (!patchStage) throw new Error(`${job.model} needs no patches in ${job.sramBytes} bytes.`);
  const stage = resolveStage(graph, patchStage, 'plan')!.stage;
  const units = decisionUnits(graph);
  const inputs = inputFormats(graph, preprocess, calibration, samples.elementType);
  const at = (bits: 8 | 4): QuantizedParameters => {
    const maps = new Set(units.flatMap((u) => (u.kind === 'stored' ? u.maps : [])));
    const views = new Set(units.flatMap((u) => (u.kind === 'view' ? u.readers : [])));
    return quantizeGraph(graph, calibration, inputs, {
      mapBits: (map) => (maps.has(map) ? bits : 8),
      weightBits: () => 8,
      inputBits: (id) => (views.has(id) || maps.has(graph.layers[id].inputs[0]) ? bits : 8),
    });
  };
  const targets = await observeTargets(graph, file, samples, preprocess, job.fitted, silent);
  const read = new Set(units.flatMap((u) => u.readers));
  const kinds = [{ read: BITS, weights: 8, parameters: at(BITS) }] as const;
  const variants = compensateVariants(graph, at(8), kinds, read, targets, silent);
  const others = await listSamples(sharedData('images', job.evaluation), graph, job.tuned + job.images);
  const images: (readonly SampleInput[])[] = [];
  for await (const { inputs: real } of floatOutputs(graph, file, others, preprocess, silent, [])) images.push(real);
  const labels = others.samples.map((s) => s.label);
  const bench = new ClassesBench(graph, taskOf(graph, labels), variants, coreOf(target));
  const inside = units.filter(
    (u) =>
      u.readers.length > 0 &&
      u.readers.every((id) => stage.layers.includes(id)) &&
      u.maps.every((map) => stage.maps.includes(map) && map !== stage.splitMap),
  );
  const ranking = rankPositions(
    calibration.patches!,
    equalBounds(patchStage.grid.rows, patchStage.grid.cols),
    phi,
    epsilon,
  );
  const name = (u: DecisionUnit): string => u.maps.map((map) => graph.maps[map].name).join(', ');
  const single = inside.map((u) => ({ name: name(u), units: [u] }));
  const macs = (u: DecisionUnit): number => u.readers.reduce((sum, id) => sum + layerMacs(graph, graph.layers[id]), 0);
  const large = single.filter(({ units: [u] }) => macs(u) / graphMacs(graph) >= LEAST_SAVED * (8 / (8 - BITS)));
  const sets = single.length > 1 ? [{ name: 'all at once', units: inside }, ...large] : single;
  const { grid } = patchStage;
  const every = Math.floor(images.length / job.tuned);
  const tuning = images.filter((_, i) => i % every === 0).slice(0, job.tuned);
  const reported = images.filter((image) => !tuning.includes(image));
  const choices = bench.choices(sets, grid, ranking, tuning);
  return { grid, splitMap: patchStage.splitMap, rows: bench.rows(sets, grid, choices, reported) };
}

/** Decisions that are lowered together. */
interface UnitSet {
  readonly name: string;
  readonly units: readonly DecisionUnit[];
}

/** The classes that a set of decisions is measured with. */
type Choices = Readonly<
  Record<'everywhere' | 'nowhere' | 'ranked' | 'measured' | 'cheapest', readonly PatchClass[]>
> & {
  readonly drawings: readonly (readonly PatchClass[])[];
};

/** The network at 8 bits, and what becomes of its outputs with fewer bits in some patches. */
class ClassesBench {
  constructor(
    private readonly graph: Graph,
    private readonly task: Task,
    private readonly variants: CompensatedVariants,
    private readonly core: Core,
  ) {}

  /** Chooses classes for each set: what each patch costs alone is measured on the images given. */
  choices(
    sets: readonly UnitSet[],
    grid: Grid,
    ranking: readonly PositionRank[],
    images: readonly (readonly SampleInput[])[],
  ): Choices[] {
    const patches = ranking.length;
    const half = Math.round(patches / 2);
    const all = (c: PatchClass): PatchClass[] => new Array<PatchClass>(patches).fill(c);
    const part = new ImagesBench(this.graph, this.task, this.variants, images);
    return sets.map(({ units }) => {
      const costs = all('outlier').map((_, patch) => {
        const classes = all('outlier').map((c, i) => (i === patch ? 'regular' : c));
        return { patch, cost: part.measure(units, grid, classes).reduce((a, b) => a + b, 0) };
      });
      costs.sort((a, b) => b.cost - a.cost || a.patch - b.patch);
      const dearest = (count: number): PatchClass[] => {
        const outliers = new Set(costs.slice(0, count).map(({ patch }) => patch));
        return all('regular').map((c, i) => (outliers.has(i) ? 'outlier' : c));
      };
      return {
        ...{ everywhere: all('regular'), nowhere: all('outlier'), ranked: topPositions(ranking, half) },
        ...{ measured: dearest(half), cheapest: dearest(patches - Math.round(patches / 4)) },
        drawings: Array.from({ length: DRAWINGS }, (_, seed) => randomClasses(patches, half, seed + 1)),
      };
    });
  }

  rows(
    sets: readonly UnitSet[],
    grid: Grid,
    choices: readonly Choices[],
    images: readonly (readonly SampleInput[])[],
  ): ClassesRow[] {
    const found = sets.map(() => ({
      ...{ everywhere: [] as number[], nowhere: [] as number[], ranked: [] as number[] },
      ...{ measured: [] as number[], cheapest: [] as number[], random: [] as number[] },
    }));
    for (let first = 0; first < images.length; first += AT_ONCE) {
      const part = new ImagesBench(this.graph, this.task, this.variants, images.slice(first, first + AT_ONCE));
      sets.forEach(({ units }, i) => {
        const { drawings, ...chosen } = choices[i];
        for (const of of ['everywhere', 'nowhere', 'ranked', 'measured', 'cheapest'] as const)
          found[i][of].push(...part.measure(units, grid, chosen[of]));
        const drawn = drawings.map((classes) => part.measure(units, grid, classes));
        found[i].random.push(...drawn[0].map((_, k) => drawn.reduce((sum, d) => sum + d[k], 0) / DRAWINGS));
      });
    }
    return sets.map(({ name, units }, i) => ({ name, ...this.saves(units), ...found[i] }));
  }

  /** Shares of the network's BitOPs and instructions that 4 bits in all patches save. */
  private saves(units: readonly DecisionUnit[]): Pick<ClassesRow, 'saved' | 'time'> {
    const cost = decisionCost(this.graph, 'latency', this.core);
    const readers = [...new Set(units.flatMap((u) => u.readers))];
    const macs = readers.reduce((sum, id) => sum + layerMacs(this.graph, this.graph.layers[id]), 0);
    const weighted = this.graph.layers.filter(isWeighted);
    const whole = weighted.reduce((sum, { id }) => sum + cost.layer(id, 8, 8), 0);
    const views = units.reduce((sum, u) => sum + cost.unit(u, BITS), 0);
    const time = (weightBits: 8 | 4): number =>
      (readers.reduce((sum, id) => sum + cost.layer(id, weightBits, 8) - cost.layer(id, weightBits, BITS), 0) - views) /
      whole;
    return {
      saved: ((8 - BITS) / 8) * (macs / graphMacs(this.graph)),
      time: { weights8: time(8), weights4: time(4) },
    };
  }
}

/** {@link ClassesBench} on some images, whose maps at 8 bits are kept. */
class ImagesBench {
  private readonly stream: LayerStream;
  private readonly reference: ImageOutputs;

  constructor(
    private readonly graph: Graph,
    private readonly task: Task,
    private readonly variants: CompensatedVariants,
    private readonly images: readonly (readonly SampleInput[])[],
  ) {
    this.stream = new LayerStream(graph, variants.base, images, true);
    for (let step = 0; step < this.stream.length; step++)
      for (let image = 0; image < images.length; image++) this.stream.run(step, image);
    this.reference = this.outputs({});
  }

  measure(units: readonly DecisionUnit[], grid: Grid, classes: readonly PatchClass[]): Divergences {
    const kernels = new Map<number, ReturnType<LayerStream['kernelWith']>>();
    const beforeRead = new Map<number, CodeChange>();
    for (const id of units.flatMap((u) => u.readers)) {
      const step = this.stream.stepOf(id);
      const { format, parameters } = this.variants.variants.get(id)!.get(`${BITS}/8`)!;
      const finer: MapFormat = {
        ...{ bits: 8, signed: format.signed, scales: format.scales.map((s) => s / FINER) },
        zeroPoints: format.zeroPoints.map((z) => z * FINER),
      };
      const weightScales = parameters.weightScales.map((s) => s / FINER);
      kernels.set(step, this.stream.kernelWith(step, { ...parameters, weightScales }, finer));
      beforeRead.set(step, this.conversion(id, format, finer, grid, classes));
    }
    const outputs = this.outputs({ kernels, beforeRead });
    return outputs.map((o, i) => outputDivergence(this.graph, this.task, [this.reference[i]], [o]));
  }

  /** Codes as the 8-bit network stores them become those of 4 bits, counted finer, or of 8 bits in the same range. */
  private conversion(
    id: LayerId,
    format: MapFormat,
    finer: MapFormat,
    grid: Grid,
    classes: readonly PatchClass[],
  ): CodeChange {
    const { id: map, shape } = this.graph.maps[this.graph.layers[id].inputs[0]];
    const stored = this.variants.base.formats.get(map)!;
    const [coarse, fine] = [codeTables(stored, format), codeTables(stored, finer)];
    const isOutlier = patchMask(shape, grid, classes);
    return (codes, pixels, channels) => {
      for (let c = 0; c < channels; c++) {
        const [a, b] = [coarse.of(c), fine.of(c)];
        for (let p = 0, i = c; p < pixels; p++, i += channels)
          codes[i] = isOutlier[p] ? b[codes[i] - fine.first] : FINER * a[codes[i] - coarse.first];
      }
    };
  }

  private outputs(change: Parameters<LayerStream['rerun']>[1]): ImageOutputs {
    const { program } = this.stream;
    return this.images.map((_, image) =>
      this.stream.rerun(image, change).map((bytes, i) => decodePort(program, program.outputs[i], bytes)),
    );
  }
}

/** 1 for the pixels of a map that lie in patches of outlier class. */
function patchMask({ h, w }: Shape, grid: Grid, classes: readonly PatchClass[]): Uint8Array {
  return Uint8Array.from({ length: h * w }, (_, i) => {
    const row = Math.floor(((Math.floor(i / w) + 0.5) * grid.rows) / h);
    const col = Math.floor((((i % w) + 0.5) * grid.cols) / w);
    return classes[row * grid.cols + col] === 'outlier' ? 1 : 0;
  });
}

import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { assemble } from '../../src/engine/codegen';
import { cachedCalibration, defaultCachePath } from '../../src/engine/calibration/cache';
import { openPlan, type OpenPlanOptions } from '../../src/engine/planned/open';
import type { CostKernel, Extent, KernelShape } from '../../src/engine/cost/kernelCost';
import { CORE_COSTS, type CoreCosts } from '../../src/engine/cost/coreCosts';
import { kernelInstructions, unitCosts, wholeExtent } from '../../src/engine/cost/kernelCost';
import { PLAIN_FORM, type Forms, type LayerForm } from '../../src/engine/cost/layerForm';
import { stepShape } from '../../src/engine/cost/latency';
import type { Core } from '../../src/engine/targets/types';
import type { Program, ScaledSum, Step } from '../../src/engine/program/types';
import type { Bits, WeightBits } from '../../src/engine/graph/bits';
import { projectRoot } from '../support/paths';

export { CORE_COSTS };

/** Room for every form that is made for speed. */
const FLASH_BYTES = 1e9;

/** Calls of kernels that were counted together. */
export interface Counted {
  readonly name: string;
  readonly calls: readonly { readonly shape: KernelShape; readonly extent: Extent }[];
  readonly instructions: number;
  /** How many such runs there were. */
  readonly times: number;
}

/**
 * For every run of a layer in the order of the generated C (renderLayer: consecutive steps of one branch and layer),
 * its kernels' shapes as text that {@link parseRun} reads.
 */
export async function runShapes(file: string, core: Core = 'cortex-m4'): Promise<string[]> {
  // As `generate` does where bits were edited.
  const calibration: OpenPlanOptions['calibration'] = (key, graph) => cachedCalibration(defaultCachePath(), key, graph);
  const { program } = await openPlan(file, { calibration });
  const { forms } = assemble(program, 'net', { optimize: 'speed', target: { core, flashBytes: FLASH_BYTES } });
  return programShapes(program, core, forms);
}

/** The same for a Program whose layers' weights stand in these forms. */
export function programShapes(program: Program, core: Core, forms: Forms): string[] {
  return layerRuns(program).map((steps) =>
    steps.map((step) => textOf(program, step, core, forms.get(step.layer) ?? PLAIN_FORM)).join(';'),
  );
}

function layerRuns({ steps }: Program): Step[][] {
  const runs: Step[][] = [];
  const key = ({ branch, tailStage, layer }: Step): string =>
    `${branch} ${tailStage?.index} ${tailStage?.branch} ${layer}`;
  for (const step of steps) {
    const last = runs[runs.length - 1];
    if (last && key(last[0]) === key(step)) last.push(step);
    else runs.push([step]);
  }
  return runs;
}

function textOf(program: Program, step: Step, core: Core, form: LayerForm): string {
  const { shape: s, extent } = stepShape(program, step, core, form);
  return [
    s.kernel,
    extent.rows.elements,
    extent.cols.elements,
    s.channels,
    s.taps,
    s.kernelH,
    s.kernelW,
    s.strideH,
    s.strideW,
    s.inputBits,
    s.weightBits,
    ...(s.general ? ['general'] : []),
    ...(extent.isPart ? ['part'] : []),
    ...(s.toTwoBits ? ['two'] : []),
    ...(step.kernel.op === 'add' && hasTables(step.kernel.sum) ? ['tables'] : []),
  ].join(' ');
}

/** Whether channels have their own factors, of which the estimate knows nothing: such sums are not fitted to. */
function hasTables({ multipliers, offset }: ScaledSum): boolean {
  return [...multipliers, offset].some((value) => typeof value !== 'number');
}

/** A row of runs-m4.tsv and its like; cycles stand in the last column where there is a model of them. */
export function parseRun(row: string): Counted {
  const [name, times, instructions] = row.split('\t');
  const calls = name.split(';').map((text) => {
    const [kernel, ...rest] = text.split(' ');
    const [h, w, channels, taps, kernelH, kernelW, strideH, strideW, inputBits, weightBits] = rest.map(Number);
    return {
      shape: {
        kernel: kernel as CostKernel,
        channels,
        taps,
        kernelH,
        kernelW,
        strideH,
        strideW,
        inputBits: inputBits as Bits,
        weightBits: weightBits as WeightBits,
        ...(rest.includes('general') ? { general: true } : {}),
        ...(rest.includes('two') ? { toTwoBits: true } : {}),
      },
      extent: { ...wholeExtent({ h, w }), isPart: rest.includes('part') },
    };
  });
  return { name, calls, instructions: Number(instructions), times: Number(times) };
}

/** A row of kernels-m4.tsv: one call on a whole map, e.g. `conv3x3s2 96x96x3-16`; null for layers of other kinds. */
export function parseKernel(row: string, { fewBits }: Pick<CoreCosts, 'fewBits'>): Counted | null {
  const [name, instructions] = row.split('\t');
  const weightBits = name.includes('4-bit weights') ? 4 : 8;
  const inputBits = Number(/ [su](\d)-/.exec(name)?.[1] ?? 8) as Bits;
  const fc = /^fc (\d+)-(\d+)/.exec(name);
  const add = /^add (\d+)x(\d+)x(\d+)/.exec(name);
  const one = { kernelH: 1, kernelW: 1, strideH: 1, strideW: 1, inputBits, weightBits } as const;
  const of = (shape: KernelShape, h: number, w: number): Counted => ({
    name,
    calls: [{ shape, extent: wholeExtent({ h, w }) }],
    instructions: Number(instructions),
    times: 1,
  });
  if (fc) return of({ kernel: 'fullyConnected', channels: Number(fc[2]), taps: Number(fc[1]), ...one }, 1, 1);
  if (add) return of({ kernel: 'add', channels: Number(add[3]), taps: 1, ...one }, Number(add[1]), Number(add[2]));
  const [, kind, kernel, stride, size, inputs, outputs] =
    /^(pw|conv|dw)(\d)?(?:x\d)?(?:s(\d))? (\d+)x\d+x(\d+)(?:-(\d+))?/.exec(name) ?? [];
  if (!kind) return null;
  const k = Number(kernel ?? 1);
  const s = Number(stride ?? 1);
  const out = Math.ceil(Number(size) / s);
  const shape = { kernelH: k, kernelW: k, strideH: s, strideW: s, inputBits, weightBits } as const;
  const isDepthwise = kind === 'dw';
  return of(
    {
      kernel: isDepthwise
        ? fewBits === 'eights'
          ? 'depthwiseTaps'
          : 'depthwise'
        : fewBits === 'eights' && (weightBits === 4 || inputBits <= 4)
          ? 'packed'
          : 'conv',
      channels: Number(isDepthwise ? inputs : outputs),
      taps: k * k * (isDepthwise ? 1 : Number(inputs)),
      ...shape,
    },
    out,
    out,
  );
}

/** A row of packed-m4.tsv. */
export function parsePacked(row: string): Counted {
  const [pixels, taps, channels, inputBits, instructions] = row.split('\t').map(Number);
  const side = Math.sqrt(pixels);
  return {
    name: `packed ${row}`,
    calls: [
      {
        shape: {
          kernel: 'packed',
          channels,
          taps,
          kernelH: 1,
          kernelW: 1,
          strideH: 1,
          strideW: 1,
          inputBits: inputBits as Bits,
          weightBits: 4,
        },
        extent: wholeExtent({ h: side, w: side }),
      },
    ],
    instructions,
    times: 1,
  };
}

/** Networks that nothing is fitted to: they tell how good estimates are. */
const HELD_OUT = /vww|resnet|mcunet/;

/** A plan whose runs of layers were counted. */
export interface CountedPlan {
  readonly plan: string;
  readonly isHeldOut: boolean;
  /** Each with how often the plan has it; cycles are NaN where there is no model of them. */
  readonly runs: readonly (Counted & { readonly cycles: number })[];
}

/** The plans that were counted on a core, by its short name. */
export function countedPlans(core: string): CountedPlan[] {
  return [`runs-${core}.tsv`, `networks-${core}.tsv`]
    .map((file) => path.join(projectRoot, 'test/bench', file))
    .filter((file) => existsSync(file))
    .flatMap((file) => {
      const [header, ...rows] = readFileSync(file, 'utf8').trim().split('\n');
      const runs = rows.map((row) => ({ ...parseRun(row), columns: row.split('\t') }));
      return header
        .split('\t')[3]
        .split(' ')
        .map((plan, p) => ({
          plan,
          isHeldOut: HELD_OUT.test(plan),
          runs: runs.flatMap(({ columns, ...run }) => {
            const times = Number(columns[3].split(' ')[p]);
            return times > 0 ? [{ ...run, times, cycles: Number(columns[4] || NaN) }] : [];
          }),
        }));
    });
}

/** Instructions of a whole plan as counted and as estimated, and its counted cycles. */
export function sumsOf({ runs }: CountedPlan, costs: CoreCosts): Record<'counted' | 'estimated' | 'cycles', number> {
  const sum = (of: (run: CountedPlan['runs'][number]) => number): number =>
    runs.reduce((total, run) => total + run.times * of(run), 0);
  return {
    counted: sum(({ instructions }) => instructions),
    estimated: sum((run) => estimate(run, costs)),
    cycles: sum(({ cycles }) => cycles),
  };
}

export function estimate({ calls }: Counted, costs: CoreCosts = CORE_COSTS['cortex-m4']): number {
  return calls.reduce((sum, { shape, extent }) => sum + kernelInstructions(unitCosts(costs, shape), shape, extent), 0);
}

/** Counts that are fitted to, and how much they weigh against other sets. */
export interface CountedSet {
  readonly counted: readonly Counted[];
  readonly weight: number;
}

/**
 * The coefficients with the least squared relative error, none negative, half of every set's weight by the share of
 * instructions; those that no count depends on stay. Estimates are linear in them: one at a time, each with the others
 * fixed, until nothing changes (coordinate descent on a convex function).
 */
export function fit(sets: readonly CountedSet[], costs: CoreCosts): CoreCosts['coefficients'] {
  const counted = sets.flatMap((set) => set.counted);
  const before = costs.coefficients as Readonly<Record<string, number>>;
  const names = Object.keys(before);
  const zero = Object.fromEntries(names.map((n) => [n, 0]));
  const weights = sets.flatMap((set) => {
    const total = set.counted.reduce((sum, { instructions, times }) => sum + instructions * times, 0);
    return set.counted.map(
      ({ instructions, times }) => set.weight * (0.5 / set.counted.length + (0.5 * instructions * times) / total),
    );
  });
  const features = names.map((n) =>
    counted.map(
      (c) =>
        estimate(c, { ...costs, coefficients: { ...zero, [n]: 1 } as unknown as typeof costs.coefficients }) /
        c.instructions,
    ),
  );
  const x = names.map((n) => before[n]);
  const rest = counted.map((_, i) => 1 - names.reduce((sum, _n, j) => sum + x[j] * features[j][i], 0));
  const norms = features.map((f) => f.reduce((sum, v, i) => sum + weights[i] * v * v, 0));
  for (let round = 0; round < 20_000; round++) {
    let change = 0;
    for (let j = 0; j < x.length; j++) {
      if (norms[j] === 0) continue;
      const step = Math.max(-x[j], features[j].reduce((sum, v, i) => sum + weights[i] * v * rest[i], 0) / norms[j]);
      if (step === 0) continue;
      x[j] += step;
      for (let i = 0; i < rest.length; i++) rest[i] -= step * features[j][i];
      change = Math.max(change, Math.abs(step) * Math.sqrt(norms[j]));
    }
    if (change < 1e-7) break;
  }
  return Object.fromEntries(
    names.map((n, j) => [n, Number(x[j].toPrecision(5))]),
  ) as unknown as typeof costs.coefficients;
}

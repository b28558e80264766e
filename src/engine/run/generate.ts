import { flashOptions } from '../targets/capacity';
import {
  CORE_KINDS,
  coreKinds,
  goldenCount,
  assemble,
  renderC,
  renderSources,
  selftestChecks,
  selftestInputs,
  takesPictures,
  usageOf,
  type GeneratedFile,
  type GeneratedSources,
  type GoldenVector,
  type NetworkFacts,
  type RenderOptions,
  type Usage,
} from '../codegen';
import type { Flash } from '../cost/flash';
import { coreCosts } from '../cost/kernelCost';
import { programCost } from '../cost/cost';
import { totalInstructions } from '../cost/latency';
import type { Forms } from '../cost/layerForm';
import { programWork } from '../cost/work';
import type { Camera } from '../calibration/camera';
import type { Preprocess } from '../calibration/types';
import { GENERATOR } from '../common/generator';
import type { OpenedPlan } from '../planned/open';
import { formatPlan } from '../plan/sidecar';
import { hashBytes } from '../plan/files';
import { detect } from '../program/detection/decode';
import { lowerHead } from '../program/detection/lowerHead';
import { Executor } from '../program/interpreter';
import type { Program } from '../program/types';
import type { Core, Optimize } from '../targets/types';

/** The C sources of a plan. */
export interface Generated {
  readonly name: string;
  /** For a project that has the runtime once. */
  readonly sources: GeneratedSources;
  /** In one folder with their own runtime, for all kinds of cores. Rendered when asked for. */
  readonly files: readonly GeneratedFile[];
  readonly arenaBytes: number;
  /** Weights and tables. */
  readonly weightBytes: number;
  readonly flash: Flash;
  /** What an application adds to run it. */
  readonly usage: Usage;
  /** A camera's pictures can be its input. */
  readonly takesPictures: boolean;
}

/**
 * Renders the C sources of a plan, with what the self-test compares computed by the reference interpreter.
 * @param optimize in place of the plan's
 * @param selftest `stored`: with inputs and outputs in flash, compared byte for byte
 * @param camera whose pictures are the input; missing: the application writes it
 * @param cores `target`: the shared runtime has kernels for the target's core only; `all`: for all kinds
 */
export function generateSources(
  opened: OpenedPlan,
  optimize?: Optimize,
  cores: 'target' | 'all' = 'target',
  selftest: 'checksum' | 'stored' = 'checksum',
  camera?: Camera,
): Generated {
  const { program, plan, graph } = opened;
  const made = flashOptions(plan.target, optimize);
  const kinds = cores === 'all' ? CORE_KINDS : coreKinds(made.target.core);
  const stored = selftest === 'stored';
  const golden = stored ? goldenVectors(program) : undefined;
  const { flash, forms } = assemble(program, program.name, { ...made, cores: kinds, golden });
  const head = opened.head ? lowerHead(program, opened.head, plan.preprocess) : null;
  // The boxes of the self-test's last inference.
  const last = (): readonly Uint8Array[] =>
    golden ? golden[golden.length - 1].outputs : new Executor(program).run(selftestInputs(program)).outputs;
  const options: RenderOptions = {
    ...(head ? { detection: { head, golden: detect(head, last()) } } : {}),
    name: program.name,
    golden,
    checks: stored ? undefined : selftestChecks(program),
    facts: factsOf(opened, made.target.core, forms),
    layers: graph.layers,
    ...(camera ? { camera: { camera, preprocess: plan.preprocess } } : {}),
    ...made,
    provenance: { generator: GENERATOR, planHash: hashBytes(formatPlan(plan)), modelFile: plan.model.file },
  };
  let files: readonly GeneratedFile[] | undefined;
  return {
    name: program.name,
    sources: renderSources(program, { ...options, cores: kinds }),
    get files() {
      return (files ??= renderC(program, options));
    },
    arenaBytes: program.arenaBytes,
    weightBytes: flash.weights + flash.tables,
    flash,
    usage: usageOf(program, program.name),
    takesPictures: takesPictures(program),
  };
}

/** Inputs, and the outputs that the reference interpreter computes from them. */
function goldenVectors(program: Program): GoldenVector[] {
  const executor = new Executor(program);
  return Array.from({ length: goldenCount(program) }, (_, i) => {
    const inputs = goldenInputs(program, i + 1);
    return { inputs, outputs: executor.run(inputs).outputs.map((o) => o.slice()) };
  });
}

/** What the header says of a network. */
function factsOf({ program, plan, graph, labels }: OpenedPlan, core: Core, forms: Forms): NetworkFacts {
  const { cyclesPerInstruction } = coreCosts(core);
  const instructions = totalInstructions(programWork(program), 0, core, forms);
  return {
    macs: programCost(graph, program).macs,
    cycles: cyclesPerInstruction === null ? null : instructions * cyclesPerInstruction,
    input: inputRule(plan.preprocess),
    labels,
  };
}

/** How a picture becomes the input. */
function inputRule({ resize, cropFraction, fill, channels }: Preprocess): string {
  const sized = {
    crop:
      `the shorter side of the picture is resized to the input's size / ${Number(cropFraction.toFixed(4))}, ` +
      'then the center is cut out.',
    stretch: "both sides of the picture are resized to the input's.",
    fit: `the longer side of the picture is resized to the input's, the rest is gray ${fill}.`,
  }[resize];
  const order = { rgb: 'Pixels are red, green, blue', bgr: 'Pixels are blue, green, red', gray: 'Pixels are gray' }[
    channels
  ];
  return (
    `As the plan was calibrated:\n${sized}\n${order}, as a camera gives them; mean and scale are part of ` +
    'the network.'
  );
}

/**
 * Deterministic inputs for the self-test similar enough to images to exercise ordinary and saturating values: soft
 * waves with noise on them.
 */
export function goldenInputs(program: Program, seed: number): Uint8Array[] {
  let state = (seed * 2654435761) >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return program.inputs.map((port) => {
    const { bytes } = program.buffers[port.buffer];
    const { h, w, c } = port.shape;
    const out = new Uint8Array(bytes);
    const fx = (1 + 3 * random()) / w;
    const fy = (1 + 3 * random()) / h;
    const phase = 6.28 * random();
    for (let i = 0; i < bytes; i++) {
      const k = i % c;
      const x = Math.floor(i / c) % w;
      const y = Math.floor(i / c / w);
      const wave = Math.sin(6.28 * (x * fx + y * fy) + phase + k);
      const value = 127.5 + 100 * wave + 60 * (random() - 0.5);
      out[i] = Math.max(0, Math.min(255, Math.round(value)));
    }
    return out;
  });
}

import {
  constantBytes,
  comesInTiles,
  coreKinds,
  externalInputs,
  renderC,
  renderSources,
  selftestChecks,
  type GeneratedFile,
  type GeneratedSources,
  type GoldenVector,
  type NetworkFacts,
  type RenderOptions,
} from '../codegen';
import { coreCosts } from '../cost/kernelCost';
import { programCost } from '../cost/cost';
import { stepInstructions } from '../cost/latency';
import type { Preprocess } from '../calibration/types';
import { GENERATOR } from '../common/generator';
import type { OpenedPlan } from '../planned/open';
import { formatPlan } from '../plan/sidecar';
import { hashBytes } from '../plan/files';
import { Executor } from '../program/interpreter';
import type { Program } from '../program/types';
import type { Core } from '../targets/types';
import { customTarget, customTargetId, findTarget } from '../targets/targets';

/**
 * Inputs that the self-test compares; only one where they are large, since they take flash when the self-test is
 * linked.
 */
const GOLDEN_VECTORS = 2;
const LARGE_INPUT_BYTES = 32 * 1024;

/** The C sources of a plan. */
export interface Generated {
  readonly name: string;
  /** For a project that has the runtime once. */
  readonly sources: GeneratedSources;
  /** In one folder with a runtime of their own, for all kinds of cores. Rendered when asked for. */
  readonly files: readonly GeneratedFile[];
  readonly arenaBytes: number;
  readonly weightBytes: number;
}

/**
 * Renders the C sources of a plan, with what the self-test compares computed by the reference interpreter. `optimize`: see {@link
 * RenderOptions}.
 * @param selftest `stored`: with inputs and outputs in flash, compared byte for byte
 * @param cores `target`: the shared runtime has kernels for the target's core only; `all`: for all kinds
 */
export function generateSources(
  opened: OpenedPlan,
  optimize: RenderOptions['optimize'] = 'speed',
  cores: 'target' | 'all' = 'target',
  selftest: 'checksum' | 'stored' = 'checksum',
): Generated {
  const { program, plan, graph } = opened;
  const { core } = plan.target.id === customTargetId ? customTarget(plan.target) : findTarget(plan.target.id);
  const target = optimize === 'size' ? undefined : { core, flashBytes: plan.target.flashBytes };
  // An input that the application keeps in memory is stored: there is no memory that it could be made in.
  const stored = selftest === 'stored' || (externalInputs(program).length > 0 && !comesInTiles(program));
  const options: RenderOptions = {
    name: program.name,
    golden: stored ? goldenVectors(program) : undefined,
    checks: stored ? undefined : selftestChecks(program),
    facts: factsOf(opened, core),
    layers: graph.layers,
    optimize,
    target,
    provenance: { generator: GENERATOR, planHash: hashBytes(formatPlan(plan)), modelFile: plan.model.file },
  };
  let files: readonly GeneratedFile[] | undefined;
  return {
    name: program.name,
    sources: renderSources(program, { ...options, cores: cores === 'all' ? undefined : coreKinds(core) }),
    get files() {
      return (files ??= renderC(program, options));
    },
    arenaBytes: program.arenaBytes,
    weightBytes: constantBytes(program, target),
  };
}

/** Inputs, and the outputs that the reference interpreter computes from them. */
function goldenVectors(program: Program): GoldenVector[] {
  const executor = new Executor(program);
  const inputBytes = program.inputs.reduce((sum, port) => sum + program.buffers[port.buffer].bytes, 0);
  return Array.from({ length: inputBytes > LARGE_INPUT_BYTES ? 1 : GOLDEN_VECTORS }, (_, i) => {
    const inputs = goldenInputs(program, i + 1);
    return { inputs, outputs: executor.run(inputs).outputs.map((o) => o.slice()) };
  });
}

/** What the header says of a network. */
function factsOf({ program, plan, graph }: OpenedPlan, core: Core): NetworkFacts {
  const { cyclesPerInstruction } = coreCosts(core);
  const instructions = stepInstructions(program, core).reduce((sum, n) => sum + n, 0);
  return {
    macs: programCost(graph, program).macs,
    cycles: cyclesPerInstruction === null ? null : instructions * cyclesPerInstruction,
    input: inputRule(plan.preprocess),
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
  return `As the plan was calibrated:\n${sized}\n${order}, as a camera gives them; mean and scale are part of the network.`;
}

/**
 * Deterministic inputs for the self-test that look enough like images to exercise ordinary and saturating values: soft
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

import {
  constantBytes,
  coreKinds,
  renderC,
  renderSources,
  type GeneratedFile,
  type GeneratedSources,
  type RenderOptions,
} from '../codegen';
import { GENERATOR } from '../common/generator';
import type { OpenedPlan } from '../planned/open';
import { formatPlan } from '../plan/sidecar';
import { hashBytes } from '../plan/files';
import { Executor } from '../program/interpreter';
import type { Program } from '../program/types';
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
 * Renders the C sources of a plan, with golden vectors computed by the reference interpreter. `optimize`: see {@link
 * RenderOptions}.
 * @param cores `target`: the shared runtime has kernels for the target's core only; `all`: for all kinds
 */
export function generateSources(
  opened: OpenedPlan,
  optimize: RenderOptions['optimize'] = 'speed',
  cores: 'target' | 'all' = 'target',
): Generated {
  const { program, plan, graph } = opened;
  const { core } = plan.target.id === customTargetId ? customTarget(plan.target) : findTarget(plan.target.id);
  const target = optimize === 'size' ? undefined : { core, flashBytes: plan.target.flashBytes };
  const executor = new Executor(program);
  const inputBytes = program.inputs.reduce((sum, port) => sum + program.buffers[port.buffer].bytes, 0);
  const golden = Array.from({ length: inputBytes > LARGE_INPUT_BYTES ? 1 : GOLDEN_VECTORS }, (_, i) => {
    const inputs = goldenInputs(program, i + 1);
    return { inputs, outputs: executor.run(inputs).outputs.map((o) => o.slice()) };
  });
  const options: RenderOptions = {
    name: program.name,
    golden,
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

import { chooseForms, type FormOptions } from '../../cost/forms';
import type { Forms } from '../../cost/layerForm';
import { programWork } from '../../cost/work';
import type { Program, Step } from '../../program/types';
import { specialKernel } from '../special';
import { fitsTwins } from './twins';

/** How steps' weights are stored and which of them get their own kernels; steps that are nowhere: as planned. */
export interface StorageForms {
  /** As they were chosen by layer; the sets below differ only where values of weights forbid a form. */
  readonly forms: Forms;
  /** Convolutions with packed weights, see packs.ts. */
  readonly packed: ReadonlySet<Step>;
  /** Layers with their 4-bit weights as bytes, as if they were 8-bit ones. */
  readonly bytes: ReadonlySet<Step>;
  /** Fully connected layers of 8 bits, or of these bytes, with two rows in the same numbers, see twins.ts. */
  readonly twins: ReadonlySet<Step>;
  /** Layers that kernels are made for, or that read twins. */
  readonly made: ReadonlySet<Step>;
}

/** {@link chooseForms} for the steps of a Program: the one choice of storage forms, before anything is rendered. */
export function storageForms(program: Program, options: FormOptions): StorageForms {
  const forms = chooseForms(programWork(program), options);
  const packed = new Set<Step>();
  const bytes = new Set<Step>();
  const made = new Set<Step>();
  for (const step of program.steps) {
    const form = forms.get(step.layer);
    const { kernel } = step;
    if (!form || !('weightBits' in kernel)) continue;
    if (form.made) made.add(step);
    if (form.weights === 'planned' || kernel.weightBits === 8 || kernel.op === 'depthwise2d') continue;
    if (form.weights === 'packed' && specialKernel(program, step, { packs: true })?.pack) packed.add(step);
    else bytes.add(step);
  }
  return { forms, packed, bytes, made, twins: twinSteps(program, bytes, made) };
}

function twinSteps(program: Program, bytes: ReadonlySet<Step>, made: ReadonlySet<Step>): Set<Step> {
  const twins = new Set<Step>();
  const connected = program.steps.flatMap(({ kernel }) => (kernel.op === 'fullyConnected' ? [kernel.weights] : []));
  for (const step of made) {
    const { kernel } = step;
    if (kernel.op !== 'fullyConnected' || (kernel.weightBits === 4 && !bytes.has(step)) || !fitsTwins(program, step))
      continue;
    // Another reader could need them in the other form too.
    if (connected.filter((weights) => weights === kernel.weights).length > 1) continue;
    twins.add(step);
  }
  return twins;
}

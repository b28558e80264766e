import type { Progress } from '../common/progress';
import { compensate, type Compensated, type Dampings } from '../compensate/compensate';
import { selectTargets, type FloatTargets, type FloatTargetsData } from '../compensate/targets';
import type { ResolvedHead } from '../detection/resolve';
import type { Task } from '../graph/task';
import type { Graph, LayerId, MapId } from '../graph/types';
import type { QuantizedParameters } from '../quantize/types';
import { codeNoise, type FinerNetwork } from './codeNoise';
import { lossOf, type OutputLoss } from './loss';
import { compensateVariants, measureChanges, type CompensatedVariants, type VariantChange } from './variants';
import type { VariantKind } from './variants';

/** A network and what its outputs are for; structured-cloneable. */
export interface FittedNetwork {
  readonly graph: Graph;
  readonly task: Task;
  /** A detector's head; null: its outputs are compared as values. */
  readonly head: ResolvedHead | null;
}

/** What all tasks of one model share; structured-cloneable. */
export interface FitSetup {
  readonly network: FittedNetwork;
  readonly targets: FloatTargetsData;
}

/** Work on one model's weights that depends on nothing but itself; structured-cloneable. */
export type FitTask =
  /** {@link compensate} on some of the images, or all. */
  | {
      readonly kind: 'compensate';
      readonly parameters: QuantizedParameters;
      readonly images: readonly number[] | null;
      readonly damping: number | Dampings | null;
    }
  /** {@link compensateVariants} */
  | {
      readonly kind: 'variants';
      readonly wide: QuantizedParameters;
      readonly kinds: readonly (VariantKind & { readonly parameters: QuantizedParameters })[];
      readonly read: ReadonlySet<LayerId>;
      readonly images: readonly number[];
    }
  /** {@link measureChanges} */
  | {
      readonly kind: 'measure';
      readonly network: CompensatedVariants;
      readonly changes: readonly VariantChange[];
      readonly others: readonly QuantizedParameters[];
      readonly images: readonly number[];
    }
  /** {@link codeNoise} */
  | {
      readonly kind: 'codeNoise';
      readonly network: FinerNetwork;
      readonly alone: readonly MapId[];
      readonly images: readonly number[];
    };

/** What becomes of each kind of {@link FitTask}. */
export interface FitResults {
  readonly compensate: Compensated;
  readonly variants: CompensatedVariants;
  readonly measure: number[];
  readonly codeNoise: number[];
}

export type FitResult<T extends FitTask> = FitResults[T['kind']];

/** Does tasks, here or in other threads; results do not depend on where, nor on how many there are. */
export interface Fitter {
  /** Tasks that are worth giving at once. */
  readonly threads: number;
  /** @throws CancelledError */
  run<T extends FitTask>(task: T, progress: Progress): Promise<FitResult<T>>;
}

/** Does tasks in this thread. */
export class LocalFitter implements Fitter {
  readonly threads = 1;
  private readonly loss: OutputLoss;

  constructor(
    private readonly network: FittedNetwork,
    private readonly targets: FloatTargets,
  ) {
    this.loss = lossOf(network.graph, network.task, network.head);
  }

  async run<T extends FitTask>(task: T, progress: Progress): Promise<FitResult<T>> {
    return this.doTask(task, progress) as FitResult<T>;
  }

  doTask(task: FitTask, progress: Progress): FitResults[keyof FitResults] {
    const { targets, loss } = this;
    const { graph } = this.network;
    const chosen = task.images === null ? targets : selectTargets(targets, task.images);
    switch (task.kind) {
      case 'compensate':
        return compensate(graph, task.parameters, chosen, progress, task.damping);
      case 'variants':
        return compensateVariants(graph, task.wide, task.kinds, task.read, chosen, progress);
      case 'measure':
        return measureChanges(graph, loss, task.network, task.changes, task.others, chosen.images, progress);
      case 'codeNoise':
        return codeNoise(graph, loss, task.network, task.alone, chosen.images, progress);
    }
  }
}

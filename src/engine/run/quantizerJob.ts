import type { SampleSet } from '../calibration/samples';
import type { Calibration, Preprocess } from '../calibration/types';
import type { DecideOptions } from './decisionTypes';
import type { ResolvedHead } from '../detection/resolve';
import type { Task } from '../graph/task';
import type { Graph } from '../graph/types';

/** What is quantized, and what the search must respect. */
export interface QuantizerJob {
  readonly graph: Graph;
  readonly modelPath: string;
  /** Named in errors. */
  readonly planPath: string;
  readonly samples: SampleSet;
  readonly preprocess: Preprocess;
  readonly calibration: Calibration;
  /** Missing: from the last layer and the samples' labels. */
  readonly task?: Task;
  /** A detector's head; missing: its outputs are compared as values. */
  readonly head?: ResolvedHead | null;
  readonly search: Omit<DecideOptions, 'measured'>;
  /** Fit weights to what the integer network computes, unless false. */
  readonly compensate?: boolean;
  /** Threads that fit weights at once; undefined: one for each core. */
  readonly threads?: number;
}

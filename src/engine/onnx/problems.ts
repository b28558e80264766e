import { counted } from '../common/wording';
import { UserError } from '../common/errors';

/** Why one node keeps a model from being imported. All texts are for the user. */
export interface ModelProblem {
  /**
   * Name of the node (or of the value for inputs and outputs) as the user finds it in the file. Possibly hostile text.
   */
  readonly node: string;
  /** ONNX operator, or `Input`, `Output`, `Initializer`. */
  readonly opType: string;
  /** What is wrong, one clause without a final period. */
  readonly message: string;
  /** What to do about it, one sentence. */
  readonly remedy: string;
}

/** Carries a problem out of an operator's import; collected with all others. */
export class ProblemError extends Error {
  constructor(
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

/** The model was read but cannot be imported; `problems` lists every reason. */
export class UnsupportedModelError extends UserError {
  constructor(
    file: string,
    readonly problems: readonly ModelProblem[],
  ) {
    super(summary(file, problems));
    this.name = 'UnsupportedModelError';
  }
}

const MAX_LISTED = 3;

function summary(file: string, problems: readonly ModelProblem[]): string {
  const listed = problems
    .slice(0, MAX_LISTED)
    .map((p) => `${oneLine(p.opType) || 'Node'} "${oneLine(p.node)}": ${oneLine(p.message)}. ${oneLine(p.remedy)}`);
  const left = problems.length - MAX_LISTED;
  const more = left > 0 ? ` There ${left === 1 ? 'is' : 'are'} ${counted(left, 'more problem')} in it.` : '';
  return `${oneLine(file)} cannot be imported: ${listed.join(' ')}${more}`;
}

/** Text from a model, fit for a one-line message: no control or direction characters, not endlessly long. */
export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
  return clean.length > 160 ? `${clean.slice(0, 157)}…` : clean;
}

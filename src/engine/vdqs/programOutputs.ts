import type { SampleInput } from '../calibration/inputs';
import { Executor } from '../program/interpreter';
import { decodePort, inputCodes } from '../program/ports';
import type { Program } from '../program/types';
import type { ImageOutputs } from './divergence';

/** What a Program gives for images, as real values. @param before is called with the number of images done so far */
export function programOutputs(
  program: Program,
  images: readonly (readonly SampleInput[])[],
  before: (done: number) => void,
): ImageOutputs {
  const executor = new Executor(program);
  return images.map((inputs, i) => {
    before(i);
    return executor
      .run(inputs.map((input, k) => inputCodes(program, k, input)))
      .outputs.map((bytes, k) => decodePort(program, program.outputs[k], bytes));
  });
}

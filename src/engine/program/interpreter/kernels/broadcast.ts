import type { CodeBlock } from '../codes';
import { check } from '../context';

/**
 * Codes from one pixel of an element-wise input to the next: its channels, or 0 for a 1×1 input that serves every
 * pixel.
 */
export function requireBroadcastable(input: CodeBlock, output: CodeBlock): number {
  check(
    input.channels === output.channels,
    `An input of ${input.channels} channels meets an output of ${output.channels}.`,
  );
  if (input.h === 1 && input.w === 1) return 0;
  check(
    input.h === output.h && input.w === output.w,
    `An input of ${input.h}×${input.w} meets an output of ${output.h}×${output.w}.`,
  );
  return input.channels;
}

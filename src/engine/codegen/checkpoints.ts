import type { Program, Step } from '../program/types';

/*
 * Steps as users see them: the kernel calls of one layer that follow each other are one step of the generated code,
 * with one number.
 */

/** Equal for the steps of one function of the generated code. */
export function partKey({ branch, tailStage }: Step): string {
  return tailStage ? `tail ${tailStage.index} ${tailStage.branch}` : `${branch}`;
}

/** Equal for steps under the same condition. */
export function guardKey({ guard }: Step): string {
  return guard ? `${guard.buffer} ${guard.index} ${guard.value}` : '';
}

/** Number of the step of generated code that each step belongs to. */
export function stepNumbers({ steps }: Program): number[] {
  let number = -1;
  return steps.map((step, i) => {
    const before = steps[i - 1];
    if (before === undefined || before.layer !== step.layer || partKey(before) !== partKey(step)) number++;
    return number;
  });
}

/** Whether the watcher is called after each step: the last of those with one number under one condition. */
export function isWatched(program: Program): boolean[] {
  const numbers = stepNumbers(program);
  return program.steps.map((step, i) => {
    const next = program.steps[i + 1];
    return next === undefined || numbers[i + 1] !== numbers[i] || guardKey(next) !== guardKey(step);
  });
}

import { formsFlashBytes, reserveBytes } from '../targets/capacity';
import type { PlanTarget } from '../targets/types';

/** What a finished plan leaves of the flash: a note if that is less than the application's reserve. */
export function flashNotes(flashBytes: number, target: PlanTarget): string[] {
  if (flashBytes <= formsFlashBytes(target)) return [];
  const [left, missing, reserve] = [
    target.flashBytes - flashBytes,
    flashBytes - formsFlashBytes(target),
    reserveBytes(target),
  ].map((bytes) => bytes.toLocaleString('en-US'));
  return [`The application has ${left} bytes of flash left, ${missing} fewer than its reserve of ${reserve}.`];
}

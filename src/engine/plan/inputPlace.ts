import type { InputPlace } from './types';

/** Whether inputs as a whole lie outside of the arena. */
export function isOutside(place: InputPlace | undefined): boolean {
  return place === 'external' || place === 'tiles';
}

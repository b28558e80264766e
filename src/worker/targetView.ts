import * as path from 'node:path';
import type { Plan } from '../engine/plan/types';
import { arenaTarget } from '../engine/targets/capacity';
import { targets } from '../engine/targets/targets';
import type { Core, Target } from '../engine/targets/types';
import type { TargetView } from '../protocol/views';

export function targetView(target: Target): TargetView {
  const { sramBytes, flashBytes } = arenaTarget(target, {});
  const { id, name, core, clockMHz, source, regions, arenaRegion } = target;
  return { id, name, core, clockMHz, sramBytes, flashBytes, source, regions, arenaRegion };
}

/** What times on a board depend on. */
export function boardOf({ core, clockMHz }: Pick<TargetView, 'core' | 'clockMHz'>): { core: Core; clockMHz: number } {
  return { core: core as Core, clockMHz };
}

/** The board of a plan as the table knows it today, with the plan's limits. */
export function targetOf({ target }: Plan): TargetView {
  const { sramBytes, flashBytes } = target;
  const known = targets.find(({ id }) => id === target.id);
  if (known) return { ...targetView(known), sramBytes, flashBytes };
  return {
    id: target.id,
    name: path.basename(target.id),
    core: target.core ?? 'cortex-m4',
    clockMHz: 0,
    source: '',
    sramBytes,
    flashBytes,
    regions: [],
    arenaRegion: '',
  };
}

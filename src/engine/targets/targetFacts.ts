import * as path from 'node:path';
import { arenaTarget } from './capacity';
import { targets } from './targets';
import type { Core, PlanTarget, Target } from './types';

/** What users see of a board, or of a part of its memories that a plan may use. */
export interface TargetFacts {
  readonly id: string;
  readonly name: string;
  readonly core: string;
  readonly clockMHz: number;
  readonly sramBytes: number;
  readonly flashBytes: number;
  readonly source: string;
  /** Its memories; regions are never added up. */
  readonly regions: readonly { readonly name: string; readonly kind: 'sram' | 'flash'; readonly bytes: number }[];
  /** Name of the region that holds the arena. */
  readonly arenaRegion: string;
}

/** A board of the table with its whole memory. */
export function targetFacts(target: Target): TargetFacts {
  const { sramBytes, flashBytes } = arenaTarget(target, {});
  const { id, name, core, clockMHz, source, regions, arenaRegion } = target;
  return { id, name, core, clockMHz, sramBytes, flashBytes, source, regions, arenaRegion };
}

/** What times on a board depend on. */
export function boardOf({
  id,
  core,
  clockMHz,
}: Pick<TargetFacts, 'id' | 'core' | 'clockMHz'>): Pick<Target, 'core' | 'clockMHz' | 'memory'> {
  return { core: core as Core, clockMHz, memory: targets.find((target) => target.id === id)?.memory };
}

/** The board of a plan as the table knows it today, with the plan's limits. */
export function targetOf(target: PlanTarget): TargetFacts {
  const { sramBytes, flashBytes } = target;
  const known = targets.find(({ id }) => id === target.id);
  if (known) return { ...targetFacts(known), sramBytes, flashBytes };
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

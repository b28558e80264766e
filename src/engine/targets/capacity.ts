import { coreOf, targets } from './targets';
import type { Core, Optimize, PlanTarget, Target } from './types';

/** Share of a board's flash that is kept for the application, unless the user says otherwise. */
const RESERVE_SHARE = 0.25;

/** Flash that is kept for the application. */
export function reserveBytes({ id, flashBytes, flashReserveBytes }: PlanTarget): number {
  if (flashReserveBytes !== undefined) return Math.min(flashBytes, flashReserveBytes);
  const board = targets.find((t) => t.id === id);
  const isWhole = !board || arenaTarget(board, {}).flashBytes === flashBytes;
  return isWhole ? Math.round(RESERVE_SHARE * flashBytes) : 0;
}

/** Flash that wider weights and kernels made for layers may take, with everything else: never any of the reserve. */
export function formsFlashBytes(target: PlanTarget): number {
  return target.flashBytes - reserveBytes(target);
}

/** Flash that a plan may take at most: the reserve counts where the user asked for it. */
export function mostFlashBytes(target: PlanTarget): number {
  return target.flashReserveBytes === undefined ? target.flashBytes : formsFlashBytes(target);
}

/** What a board offers to the arena and to weights, or what the user allows of it. */
export function arenaTarget(
  target: Target,
  limits: { readonly sramBytes?: number; readonly flashBytes?: number; readonly flashReserveBytes?: number },
): PlanTarget {
  const bytes = (name: string): number => target.regions.find((r) => r.name === name)?.bytes ?? 0;
  return {
    id: target.id,
    sramBytes: limits.sramBytes ?? bytes(target.arenaRegion),
    flashBytes: limits.flashBytes ?? bytes(target.flashRegion),
    ...(limits.flashReserveBytes === undefined ? {} : { flashReserveBytes: limits.flashReserveBytes }),
  };
}

/** What sources of a plan are made for. @param optimize in place of the plan's */
export function flashOptions(
  target: PlanTarget,
  optimize?: Optimize,
): { readonly optimize: Optimize; readonly target: { readonly core: Core; readonly flashBytes: number } } {
  return {
    optimize: optimize ?? target.optimize ?? 'balanced',
    target: { core: coreOf(target), flashBytes: formsFlashBytes(target) },
  };
}

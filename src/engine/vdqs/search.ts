import type { Bits } from '../graph/bits';
import { checkCancelled, type Progress } from '../common/progress';
import type { Candidate } from './score';
import type { DecisionUnit } from './units';

/** A decision with its scored bitwidths. */
export interface ScoredUnit {
  readonly unit: DecisionUnit;
  /** Allowed bitwidths, 8 first, falling. */
  readonly candidates: readonly Candidate[];
  /** Fixed by a person: bits that the search must keep; null when free. */
  readonly locked: Bits | null;
}

/** What the search has to respect. */
export interface SearchConstraints {
  /** By how many bytes the arena is too large for the SRAM with these bits (index as in `units`); ≤ 0 when it fits. */
  sramExcess(bits: readonly Bits[]): number;
}

export interface SearchResult {
  readonly bits: readonly Bits[];
  /** Bytes by which the best plan found still misses the SRAM; 0 when it fits. */
  readonly missingBytes: number;
  readonly steps: number;
}

/**
 * VDQS: starting from 8 bits everywhere, take the step (one decision to fewer bits) with the best gain in score, again
 * and again, until no step improves the score. If the arena then does not fit, go on with the steps that free most SRAM
 * for the least loss of score until it does.
 */
export function searchBits(
  units: readonly ScoredUnit[],
  constraints: SearchConstraints,
  progress: Progress,
): SearchResult {
  const bits: Bits[] = units.map((u) => u.locked ?? 8);
  let steps = 0;
  for (;;) {
    checkCancelled(progress);
    const step = bestStep(units, bits);
    if (!step) break;
    bits[step.unit] = step.bits;
    steps++;
  }
  let excess = constraints.sramExcess(bits);
  while (excess > 0) {
    checkCancelled(progress);
    const step = bestRelief(units, bits, constraints, excess);
    if (!step) return { bits, missingBytes: excess, steps };
    bits[step.unit] = step.bits;
    excess = step.excess;
    steps++;
  }
  return { bits, missingBytes: 0, steps };
}

function scoreAt(unit: ScoredUnit, bits: Bits): number {
  return unit.candidates.find((c) => c.bits === bits)?.score ?? 0;
}

function bestStep(units: readonly ScoredUnit[], bits: readonly Bits[]): { unit: number; bits: Bits } | null {
  let best: { unit: number; bits: Bits } | null = null;
  let gain = 0;
  units.forEach((unit, i) => {
    if (unit.locked !== null || unit.unit.readers.length === 0) return;
    const now = scoreAt(unit, bits[i]);
    for (const candidate of unit.candidates) {
      if (candidate.bits >= bits[i]) continue;
      if (candidate.score - now > gain + 1e-12) {
        gain = candidate.score - now;
        best = { unit: i, bits: candidate.bits };
      }
    }
  });
  return best;
}

/**
 * The peak is a maximum over steps, so one decision alone often frees nothing: when no single step helps, the pair of
 * the two cheapest neighbors at the peak is found by applying the least costly step anyway, as long as some combination
 * remains.
 */
function bestRelief(
  units: readonly ScoredUnit[],
  bits: readonly Bits[],
  constraints: SearchConstraints,
  excess: number,
): { unit: number; bits: Bits; excess: number } | null {
  let best: { unit: number; bits: Bits; excess: number } | null = null;
  let bestRate = -Infinity;
  let cheapest: { unit: number; bits: Bits; excess: number } | null = null;
  let least = Infinity;
  units.forEach((unit, i) => {
    if (unit.locked !== null || unit.unit.kind !== 'stored') return;
    for (const candidate of unit.candidates) {
      if (candidate.bits >= bits[i]) continue;
      const trial = [...bits];
      trial[i] = candidate.bits;
      const left = constraints.sramExcess(trial);
      const loss = Math.max(1e-6, scoreAt(unit, bits[i]) - candidate.score);
      const rate = (excess - left) / loss;
      if (excess - left > 0 && rate > bestRate) {
        bestRate = rate;
        best = { unit: i, bits: candidate.bits, excess: left };
      }
      if (loss < least) {
        least = loss;
        cheapest = { unit: i, bits: candidate.bits, excess: left };
      }
    }
  });
  return best ?? cheapest;
}

import type { MapId } from '../graph/types';

/** Of the instructions of the plan, what 16 bits may add. */
export const MOST_MORE = 0.1;
/** Groups whose codes cost less than this share of what all cost are left at 8 bits: images cannot tell them apart. */
const LEAST_SHARE = 0.01;
/** A group's share of what all codes cost has to be this many times its share of the instructions. */
const LEAST_WORTH = 2;

/** Maps that share their bits, and what their codes cost at 8. */
export interface Raisable {
  readonly group: MapId;
  readonly noise: number;
}

/** What raising groups takes. */
export interface RaisingCosts {
  /** Instructions of the plan as it is, and what they may become. */
  readonly now: number;
  readonly most: number;
  /** Instructions where these groups have 16 bits. */
  instructions(groups: ReadonlySet<MapId>): number;
  /** Whether a plan with these groups at 16 bits fits, in all respects. Where some do not, more do not either. */
  fits(groups: ReadonlySet<MapId>): boolean;
}

/**
 * The groups that get 16 bits: greedily by what their codes cost for each instruction that 16 bits add there, as long
 * as that is {@link LEAST_WORTH} and all together fit. A layer that reads or writes two raised maps is paid once, so
 * groups that were too dear are looked at again beside those that were taken.
 *
 * @returns in the order in which they were taken
 */
export function chooseRaised(candidates: readonly Raisable[], costs: RaisingCosts): MapId[] {
  const total = candidates.reduce((sum, { noise }) => sum + noise, 0);
  if (!(total > 0)) return [];
  const taken = new Set<MapId>();
  let current = costs.now;
  const worthOf = (share: number, added: number): number => share / Math.max(added / costs.now, 1e-9);
  const left = candidates
    .map(({ group, noise }) => ({ group, share: noise / total }))
    .filter(({ share }) => share >= LEAST_SHARE)
    .map((c) => ({ ...c, worth: worthOf(c.share, costs.instructions(new Set([c.group])) - costs.now) }))
    .sort((a, b) => b.worth - a.worth || b.share - a.share || a.group - b.group);
  for (let more = true; more;) {
    more = false;
    for (const candidate of left.slice()) {
      const wanted = new Set(taken).add(candidate.group);
      const next = costs.instructions(wanted);
      if (next > costs.most || worthOf(candidate.share, next - current) < LEAST_WORTH) continue;
      left.splice(left.indexOf(candidate), 1);
      if (!costs.fits(wanted)) continue;
      taken.add(candidate.group);
      current = next;
      more = true;
    }
  }
  return [...taken];
}

import { isWeighted, type Graph, type LayerId } from '../graph/types';
import type { PatchCandidate } from '../patch/types';
import { plannedInstructions } from '../planned/work';
import { isMixed } from './isMixed';
import type { DecideOptions, Decision } from './decisionTypes';

/** Decisions with the other ways to run the network at their bits, found when asked for. */
export interface Candidate {
  readonly decision: Omit<Decision, 'pareto'>;
  readonly compare: () => readonly PatchCandidate[];
}

/** Rounds in which layers that do not pay off return to 8 bits. */
const ROUNDS = 3;
/** The same where as few layers as possible return. */
const SMALL_ROUNDS = 6;
/** Of the instructions at 8 bits, what a plan that is about as fast takes at most: the estimate knows no better. */
const ABOUT = 1.015;
/** Layers whose instructions differ by less, of all instructions, are not worth another plan. */
const LEAST_SHARE = 0.0005;

/**
 * The fastest of three: what the search found, the same with layers back at 8 bits that take more instructions than in
 * the plan at 8 bits, and the plan at 8 bits. The search adds up layers on whole maps in their fastest forms; what
 * counts is the finished plan: its patches and halos, its views, the storage forms that flash has room for. No
 * candidate has fewer bits than the search chose, so none loses more.
 *
 * If something other than time is minimised, the result stays and a note says how much slower it is; or, with `asFast`,
 * only so many layers return to 8 bits, the slowest first, that the plan is about as fast as at 8 bits.
 *
 * @param decideRestored decides again, with these layers and what they read at 8 bits
 */
export function neverSlower(
  graph: Graph,
  options: Pick<DecideOptions, 'target' | 'objective' | 'asFast'>,
  searched: Candidate,
  decideRestored: (restored: ReadonlySet<LayerId>) => Candidate,
): Candidate {
  const weighted = graph.layers.filter(isWeighted);
  if (weighted.length === 0 || !isMixed(searched.decision)) return searched;
  const counted = (candidate: Candidate): Counted => ({
    ...candidate,
    ...plannedInstructions(graph, { ...candidate.decision, target: options.target }, 'plan'),
  });
  const first = counted(searched);
  const eight = counted(decideRestored(new Set(weighted.map(({ id }) => id))));
  if (options.objective !== 'latency' && options.asFast !== true) {
    const slower = first.total / eight.total - 1;
    return slower < LEAST_SHARE
      ? searched
      : withNote(
          searched,
          `On this core the plan takes about ${percent(slower)} % more instructions than 8 bits in the same ` +
            'SRAM. Use --objective latency for the fastest plan.',
        );
  }
  /** The layers that take more instructions than at 8 bits, the slowest first. */
  const slower = (current: Counted): { readonly id: LayerId; readonly more: number }[] =>
    weighted
      .map(({ id }) => ({ id, more: current.layers[id] - eight.layers[id] }))
      .filter(({ more }) => more > 0)
      .sort((a, b) => b.more - a.more);
  const restore = (restored: ReadonlySet<LayerId>): Counted => counted(decideRestored(restored));
  const best =
    options.objective === 'latency' ? fastest(first, eight, slower, restore) : asFast(first, eight, slower, restore);
  if (best.total <= (options.objective === 'latency' ? 1 : ABOUT) * eight.total) return best;
  return withNote(
    eight,
    `Everything stays at 8 bits: fewer would take ${percent(best.total / eight.total - 1)} % more instructions on ` +
      'this core in the same SRAM.',
  );
}

type Counted = Candidate & ReturnType<typeof plannedInstructions>;
type SlowerLayers = (current: Counted) => readonly { readonly id: LayerId; readonly more: number }[];
type Restore = (restored: ReadonlySet<LayerId>) => Counted;

/** The fastest candidate with layers back at 8 bits, all that take more at once. */
function fastest(first: Counted, eight: Counted, slower: SlowerLayers, restore: Restore): Counted {
  let best = first;
  const restored = new Set<LayerId>();
  for (let round = 0, current = first; round < ROUNDS; round++) {
    const before = restored.size;
    for (const { id, more } of slower(current)) if (more > LEAST_SHARE * eight.total) restored.add(id);
    if (restored.size === before) break;
    current = restore(restored);
    if (current.total < best.total) best = current;
  }
  return best;
}

/**
 * The first candidate that is about as fast as 8 bits, with as few layers back at them as that needs, or else with all
 * that take more.
 */
function asFast(first: Counted, eight: Counted, slower: SlowerLayers, restore: Restore): Counted {
  let current = first;
  const restored = new Set<LayerId>();
  for (let round = 0; round < SMALL_ROUNDS && current.total > ABOUT * eight.total; round++) {
    let excess = current.total - ABOUT * eight.total;
    const before = restored.size;
    for (const { id, more } of slower(current)) {
      if (excess <= 0) break;
      if (restored.has(id)) continue;
      restored.add(id);
      excess -= more;
    }
    if (restored.size === before) break;
    current = restore(restored);
  }
  return current.total <= ABOUT * eight.total ? current : fastest(first, eight, slower, restore);
}

function withNote({ decision, compare }: Candidate, note: string): Candidate {
  return { decision: { ...decision, notes: [...decision.notes, note] }, compare };
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

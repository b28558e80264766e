import { UserError } from '../common/errors';
import type { Graph } from '../graph/types';
import { anchoredFamilies } from './anchored';
import { anchorFreeFamilies } from './anchorFree';
import { cluesOf, type HeadFamily } from './families';
import type { DetectionHead } from './head';
import { decodedFamily, priorFamilies } from './priorFamilies';

/** All families, the most telling outputs first. */
const FAMILIES: readonly HeadFamily[] = [
  ...priorFamilies.filter((f) => f.name !== 'ssd'),
  ...anchorFreeFamilies.filter((f) => !['fomo', 'fastestdet', 'yolox'].includes(f.name)),
  ...anchorFreeFamilies.filter((f) => f.name === 'fastestdet'),
  ...anchoredFamilies,
  ...priorFamilies.filter((f) => f.name === 'ssd'),
  ...anchorFreeFamilies.filter((f) => ['yolox', 'fomo'].includes(f.name)),
  decodedFamily,
];

/** Names of presets that `--head` takes. */
const HEAD_PRESETS: readonly string[] = FAMILIES.map((f) => f.name).sort();

/**
 * The head that a network's outputs look like by their number, channels and names; null where they look like no
 * detector's.
 *
 * @param model name of its file
 */
export function proposeHead(graph: Graph, model: string): DetectionHead | null {
  if (graph.inputs.length !== 1) return null;
  const clues = cluesOf(graph, model);
  // A vector is not a detector's output, and neither is a map as large as the input (a mask).
  if (clues.outputs.some(({ h, w, c }) => h * w * c <= Math.max(4, c))) return null;
  for (const family of FAMILIES) {
    const head = family.propose?.(clues) === false ? null : family.fill(clues);
    if (head) return head;
  }
  return null;
}

/** A preset filled for a network. @throws UserError when it is unknown or the outputs do not suit it */
export function headPreset(graph: Graph, name: string, model: string): DetectionHead {
  const family = FAMILIES.find((f) => f.name === name);
  if (!family)
    throw new UserError(`Unknown detection head "${name}"; choose ${HEAD_PRESETS.join(', ')} or a .json file.`);
  const clues = cluesOf(graph, model);
  const head = family.fill(clues);
  if (!head)
    throw new UserError(
      `The outputs of ${model} do not match the head ${name}, which needs ${family.outputs}; they are ` +
        `${clues.outputs.map((o) => `${o.name} ${o.h}×${o.w}×${o.c}`).join(', ')}. Choose another head, or ` +
        'describe it in a .json file.',
    );
  return head;
}

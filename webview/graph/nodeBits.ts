import { bitsChoices, bitsKindText, type BitsKind } from '../bitsChoices';
import type { Context } from '../context';
import { t } from '../l10n';
import { openMenu } from '../menu';
import type { Scene } from './scene';

/** Opens the menu of a node's bits at an element; says so where there is no choice. */
export function openNodeBits(
  context: Context,
  scene: Scene,
  node: number,
  kind: BitsKind,
  anchor: HTMLElement,
  onClose: () => void,
): void {
  const { layers } = scene.nodes[node];
  const choices =
    scene.view.plan?.calibrated === true && layers.length === 1 ? bitsChoices(layers[0], kind, context.edits) : null;
  if (choices === null) context.announce(t('The bits cannot be chosen here'));
  else openMenu(anchor, bitsKindText(kind), choices, onClose);
}

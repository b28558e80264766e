import { OWN_BOARD_ID } from '../src/protocol/boards';
import type { TargetView } from '../src/protocol/views';
import { t } from './l10n';

/** A board's name; one of the user's own has none in the plan. */
export function boardText({ id, name }: Pick<TargetView, 'id' | 'name'>): string {
  return id === OWN_BOARD_ID ? t('Own board') : name;
}

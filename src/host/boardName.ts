import * as vscode from 'vscode';
import { OWN_BOARD_ID } from '../protocol/boards';
import type { TargetView } from '../protocol/views';

/** What a plan's board is called; one of the user's own has no name in the plan. */
export function boardName({ id, name }: Pick<TargetView, 'id' | 'name'>): string {
  return id === OWN_BOARD_ID ? vscode.l10n.t('Own board') : name;
}

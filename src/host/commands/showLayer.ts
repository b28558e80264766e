import * as vscode from 'vscode';
import { isModel } from '../planFiles';
import type { Services } from '../services';
import { chooseModel } from './model';

/**
 * Opens a model's editor and selects a layer: where links in a plan's text and in generated C lead. Links carry text,
 * so arguments are checked.
 * @param argument the model, as Uri or as its text
 * @param layer index in the editor's view; without it the editor is opened
 */
export async function showLayer({ editors }: Services, argument: unknown, layer: unknown): Promise<void> {
  const given = typeof argument === 'string' ? vscode.Uri.parse(argument, true) : argument;
  const model =
    given instanceof vscode.Uri && isModel(given)
      ? given
      : await chooseModel(given, vscode.l10n.t('Show in the Editor'));
  if (model)
    await editors.show(model, Number.isInteger(layer) && (layer as number) >= 0 ? (layer as number) : undefined);
}

import * as vscode from 'vscode';
import type { GeneratedView, OutcomeView } from '../../protocol/editor';
import type { GeneratedPlace, ModelEditor } from './modelEditor';
import { VIEW_TYPE } from './provider';

/** The editors that are open, and the way to one. */
export class OpenEditors {
  private readonly editors = new Set<ModelEditor>();
  /** Layers to select in editors that VS Code is still opening, by model. */
  private readonly wanted = new Map<string, number>();

  /** Takes note of an editor for as long as its panel lives. */
  add(editor: ModelEditor, panel: vscode.WebviewPanel): void {
    this.editors.add(editor);
    panel.onDidDispose(() => this.editors.delete(editor));
    const key = editor.uri.toString();
    const layer = this.wanted.get(key);
    if (layer === undefined) return;
    this.wanted.delete(key);
    editor.revealLayer(layer);
  }

  /**
   * Opens a model's editor, in the group where it is open already, and selects a layer. @param layer index in the view;
   * undefined: the editor only
   */
  async show(model: vscode.Uri, layer?: number): Promise<void> {
    const key = model.toString();
    const isOurs = ({ input }: vscode.Tab): boolean =>
      input instanceof vscode.TabInputCustom && input.viewType === VIEW_TYPE && input.uri.toString() === key;
    const group = vscode.window.tabGroups.all.find(({ tabs }) => tabs.some(isOurs));
    const open = this.of(model);
    if (layer !== undefined && open.length === 0) this.wanted.set(key, layer);
    await vscode.commands.executeCommand(
      'vscode.openWith',
      model,
      VIEW_TYPE,
      group?.viewColumn ?? vscode.ViewColumn.Active,
    );
    if (layer !== undefined) for (const editor of open) editor.revealLayer(layer);
  }

  /** Tells what came of something that was run on a model, in its editors; false when none is in sight. */
  showResult(model: vscode.Uri, result: { readonly ok: boolean; readonly message: string }): boolean {
    const open = this.of(model);
    for (const editor of open) editor.showResult(result);
    return open.some(({ isVisible }) => isVisible);
  }

  /** Tells what a quantization came to, in the model's editors. */
  showOutcome(model: vscode.Uri, outcome: OutcomeView): void {
    for (const editor of this.of(model)) editor.showOutcome(outcome);
  }

  /** Brings the model's editor to the front and tells there what was generated; false when none is open. */
  async showGenerated(model: vscode.Uri, place: GeneratedPlace, generated: GeneratedView): Promise<boolean> {
    const open = this.of(model);
    for (const editor of open) editor.showGenerated(place, generated);
    if (open.length > 0 && !open.some(({ isVisible }) => isVisible)) await this.show(model);
    return open.length > 0;
  }

  private of(model: vscode.Uri): ModelEditor[] {
    const key = model.toString();
    return [...this.editors].filter(({ uri }) => uri.toString() === key);
  }
}

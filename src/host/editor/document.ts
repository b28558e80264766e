import * as vscode from 'vscode';
import type { EditorView } from '../../protocol/views';
import { Disposable } from '../dispose';
import type { EngineClient } from '../engineClient/client';
import { planUriOf } from '../planFiles';
import { quantizeSettings, SECTION } from '../settings';
import { watchFile } from './watch';

/** Several writes of one save, of the model, its plan and its parameters, lead to one reload. */
const SETTLE_MS = 200;

/** An opened model: its view is computed once for all editors that show it, and again when the model or its plan changes on disk. */
export class ModelDocument extends Disposable implements vscode.CustomDocument {
  readonly plan: vscode.Uri;
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChange = this.changed.event;
  private current: Promise<EditorView> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(readonly uri: vscode.Uri, private readonly engine: EngineClient) {
    super();
    this.plan = planUriOf(uri);
    this.own(watchFile(uri, () => this.reloadSoon()));
    this.own(watchFile(this.plan, () => this.reloadSoon()));
    this.own(vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${SECTION}.inputSizes`, uri)) this.reloadSoon();
    }));
  }

  /** The model as it is on disk now, with its plan if there is one. Rejects with one line for people where it cannot be read. */
  view(): Promise<EditorView> {
    this.current ??= this.engine.ask((engine) => engine.view({
      modelPath: this.uri.fsPath, planPath: this.plan.fsPath, sizes: quantizeSettings(this.uri).sizes,
    }));
    return this.current;
  }

  override dispose(): void {
    clearTimeout(this.timer);
    super.dispose();
  }

  private reloadSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.current = undefined;
      this.changed.fire();
    }, SETTLE_MS);
  }
}

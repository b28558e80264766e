import * as vscode from 'vscode';
import { Disposable } from '../dispose';
import type { EngineClient } from '../engineClient/client';
import { ModelDocument } from './document';

/**
 * Documents kept in addition to those of open editors, for requests about a model that no editor shows: a plan's text,
 * the status bar.
 */
const KEPT = 3;

/** The models that are looked at: one document for an open editor, the texts that belong to it, and the status bar. */
export class ModelDocuments extends Disposable {
  private readonly opened = new Map<string, ModelDocument>();
  /** Without an editor, the one used last first. */
  private kept: ModelDocument[] = [];
  private readonly changed = this.own(new vscode.EventEmitter<vscode.Uri>());
  /**
   * Fires with a model whose view is to be asked for again: it, its plan or its parameters changed, or an editor was
   * opened or closed.
   */
  readonly onDidChange = this.changed.event;

  constructor(private readonly engine: EngineClient) {
    super();
  }

  /** Makes the document of an editor that is being opened; it is forgotten when VS Code disposes of it. */
  open(uri: vscode.Uri): ModelDocument {
    const key = uri.toString();
    this.drop(key);
    const document = this.make(uri);
    this.opened.set(key, document);
    document.onDidDispose(() => {
      if (this.opened.get(key) === document) this.opened.delete(key);
      this.changed.fire(uri);
    });
    this.changed.fire(uri);
    return document;
  }

  /** The document of a model, of its editor where one is open. Ask again later rather than keep it. */
  get(uri: vscode.Uri): ModelDocument {
    const key = uri.toString();
    const document = this.opened.get(key) ?? this.kept.find((other) => other.uri.toString() === key) ?? this.make(uri);
    if (!this.opened.has(key)) {
      this.kept = [document, ...this.kept.filter((other) => other !== document)];
      for (const old of this.kept.splice(KEPT)) old.dispose();
    }
    return document;
  }

  /** Files of a model were just written: the next view shows them. */
  reload(uri: vscode.Uri): void {
    const key = uri.toString();
    (this.opened.get(key) ?? this.kept.find((other) => other.uri.toString() === key))?.reload();
  }

  override dispose(): void {
    for (const document of [...this.opened.values(), ...this.kept]) document.dispose();
    super.dispose();
  }

  private make(uri: vscode.Uri): ModelDocument {
    const document = new ModelDocument(uri, this.engine);
    document.onDidChange(() => this.changed.fire(uri));
    return document;
  }

  private drop(key: string): void {
    for (const document of this.kept.filter((other) => other.uri.toString() === key)) document.dispose();
    this.kept = this.kept.filter((other) => other.uri.toString() !== key);
  }
}

import * as vscode from 'vscode';
import { Disposable } from './dispose';

const SCHEME = 'quantmcu-preview';

/** Read-only documents of what would be written, for diffs. They live until the next preview. */
export class PreviewDocuments extends Disposable implements vscode.TextDocumentContentProvider {
  private texts = new Map<string, string>();
  private round = 0;

  constructor() {
    super();
    this.own(vscode.workspace.registerTextDocumentContentProvider(SCHEME, this));
  }

  /** Forgets the documents of earlier previews. */
  begin(): void {
    this.texts = new Map();
    this.round++;
  }

  /** @param file whose name and type the document takes */
  add(file: vscode.Uri, text: string): vscode.Uri {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: file.path, query: String(this.round) });
    this.texts.set(uri.toString(), text);
    return uri;
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }
}

import * as vscode from 'vscode';
import type { Services } from '../services';
import type { ModelDocument } from './document';
import { ModelEditor } from './modelEditor';
import { versionHtml } from './page';

export const VIEW_TYPE = 'quantmcu.model';

/** The custom editor for `.onnx` files. */
class ModelEditorProvider implements vscode.CustomReadonlyEditorProvider<ModelDocument> {
  constructor(private readonly services: Services) {}

  openCustomDocument(uri: vscode.Uri): ModelDocument {
    return this.services.documents.open(uri);
  }

  resolveCustomEditor(document: ModelDocument, panel: vscode.WebviewPanel): void {
    if (document.uri.scheme === 'git') {
      // A side of a comparison of versions, which the page cannot show: it reads files by path.
      panel.webview.html = versionHtml(vscode.l10n.t('The versions are compared as text, in a separate tab.'));
      void vscode.commands.executeCommand('quantmcu.compareVersions', document.uri);
      return;
    }
    // Lives as long as its panel.
    this.services.editors.add(new ModelEditor(panel, document, this.services), panel);
  }
}

export function registerModelEditor(services: Services): vscode.Disposable {
  return vscode.window.registerCustomEditorProvider(VIEW_TYPE, new ModelEditorProvider(services), {
    supportsMultipleEditorsPerDocument: true,
  });
}

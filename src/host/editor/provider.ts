import * as vscode from 'vscode';
import type { Services } from '../services';
import { ModelDocument } from './document';
import { ModelEditor } from './modelEditor';

export const VIEW_TYPE = 'quantmcu.model';

/** The custom editor for `.onnx` files. */
class ModelEditorProvider implements vscode.CustomReadonlyEditorProvider<ModelDocument> {
  constructor(private readonly services: Services) {}

  openCustomDocument(uri: vscode.Uri): ModelDocument {
    return new ModelDocument(uri, this.services.engine);
  }

  resolveCustomEditor(document: ModelDocument, panel: vscode.WebviewPanel): void {
    const { jobs, log, extensionUri } = this.services;
    // Lives as long as its panel.
    new ModelEditor(panel, document, jobs, log, extensionUri);
  }
}

export function registerModelEditor(services: Services): vscode.Disposable {
  return vscode.window.registerCustomEditorProvider(VIEW_TYPE, new ModelEditorProvider(services), { supportsMultipleEditorsPerDocument: true });
}

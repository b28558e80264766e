import type * as vscode from 'vscode';
import type { ModelDocuments } from './editor/documents';
import type { OpenEditors } from './editor/openEditors';
import type { EngineClient } from './engineClient/client';
import type { Jobs } from './jobs';
import type { PreviewDocuments } from './previewDocuments';

/** What commands and editors are given. */
export interface Services {
  readonly extensionUri: vscode.Uri;
  readonly engine: EngineClient;
  readonly jobs: Jobs;
  readonly documents: ModelDocuments;
  readonly editors: OpenEditors;
  readonly previews: PreviewDocuments;
  readonly log: vscode.LogOutputChannel;
  /** Choices remembered for this workspace. */
  readonly memory: vscode.Memento;
}

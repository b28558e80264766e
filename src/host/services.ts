import type * as vscode from 'vscode';
import type { EngineClient } from './engineClient/client';
import type { Jobs } from './jobs';

/** What commands and editors are given. */
export interface Services {
  readonly extensionUri: vscode.Uri;
  readonly engine: EngineClient;
  readonly jobs: Jobs;
  readonly log: vscode.LogOutputChannel;
  /** Choices remembered for this workspace. */
  readonly memory: vscode.Memento;
}

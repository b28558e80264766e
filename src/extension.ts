import * as vscode from 'vscode';
import { registerCommands } from './host/commands';
import { registerDecorations } from './host/decorations';
import { registerModelEditor } from './host/editor/provider';
import { EngineClient } from './host/engineClient/client';
import { workerThread } from './host/engineClient/transport';
import { Jobs } from './host/jobs';
import { createLog } from './host/log';
import type { Services } from './host/services';

/** Called by VS Code when one of the extension's commands or editors is first used: wiring only, nothing is computed here. */
export function activate(context: vscode.ExtensionContext): void {
  const log = createLog();
  const engine = new EngineClient(workerThread(context.asAbsolutePath('dist/worker.js')), log);
  const jobs = new Jobs();
  const services: Services = {
    engine, jobs, log,
    extensionUri: context.extensionUri,
    memory: context.workspaceState,
  };
  context.subscriptions.push(log, engine, jobs, registerModelEditor(services), registerCommands(services), registerDecorations());
}

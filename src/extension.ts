import * as vscode from 'vscode';
import { registerCommands } from './host/commands';
import { registerDecorations } from './host/decorations';
import { ModelDocuments } from './host/editor/documents';
import { OpenEditors } from './host/editor/openEditors';
import { registerModelEditor } from './host/editor/provider';
import { EngineClient } from './host/engineClient/client';
import { workerThread } from './host/engineClient/transport';
import { Jobs } from './host/jobs';
import { createLog } from './host/log';
import { PlanDiagnostics } from './host/plans/planDiagnostics';
import { PlanFeatures } from './host/plans/planFeatures';
import { registerQuickFixes } from './host/plans/quickFixes';
import { PreviewDocuments } from './host/previewDocuments';
import type { Services } from './host/services';
import { StepFeatures } from './host/sources/stepLenses';
import { StatusBar } from './host/statusBar';
import { registerTasks } from './host/tasks/taskProvider';
import { registerTools } from './host/tools';
import { registerMcpServer } from './host/tools/mcpServer';

/**
 * Called by VS Code when one of the extension's commands or editors is first used, or a workspace has a plan: wiring
 * only, nothing is computed here.
 */
export function activate(context: vscode.ExtensionContext): void {
  const { extensionUri, workspaceState: memory } = context;
  const log = createLog();
  const engine = new EngineClient(
    workerThread(context.asAbsolutePath('dist/worker.js'), () => vscode.workspace.isTrusted),
    log,
  );
  const jobs = new Jobs();
  const documents = new ModelDocuments(engine);
  const editors = new OpenEditors();
  const previews = new PreviewDocuments();
  const services: Services = { engine, jobs, documents, editors, previews, log, extensionUri, memory };
  context.subscriptions.push(
    // Engines that were started before believe the workspace less.
    vscode.workspace.onDidGrantWorkspaceTrust(() => engine.stop()),
    log,
    engine,
    jobs,
    documents,
    previews,
    registerModelEditor(services),
    registerCommands(services),
    registerDecorations(),
    new PlanDiagnostics(documents, log),
    new PlanFeatures(documents),
    registerQuickFixes(),
    new StepFeatures(documents, memory),
    new StatusBar(documents),
    registerTools(services),
    registerMcpServer(
      context.asAbsolutePath('dist/cli.js'),
      (context.extension.packageJSON as { readonly version: string }).version,
    ),
    registerTasks(context.asAbsolutePath('dist/cli.js'), memory),
  );
}

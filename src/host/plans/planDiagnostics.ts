import * as vscode from 'vscode';
import type { PlanProblem } from '../../protocol/engine';
import { Disposable } from '../dispose';
import type { ModelDocuments } from '../editor/documents';
import { VIEW_TYPE } from '../editor/provider';
import { isCancellation, messageOf } from '../log';
import { exists, isPlan, modelUriOf, planUriOf } from '../planFiles';
import { placeInText } from './planText';
import { rangeOf } from './ranges';

export const SOURCE = 'QuantMCU';
/** Typing and saving come in bursts. */
const SETTLE_MS = 300;

/**
 * Problems of the models and plans that are open, in an editor of ours or as text: operators that no plan can be made
 * for, at the model, and what keeps a plan from being used, at its line. Those of closed files go.
 */
export class PlanDiagnostics extends Disposable {
  private readonly collection = this.own(vscode.languages.createDiagnosticCollection('quantmcu'));
  private readonly timers = new Map<string, NodeJS.Timeout>();
  /** Counts checks of a plan, so that a slow one does not overwrite a later one's result. */
  private readonly checks = new Map<string, number>();

  constructor(
    private readonly documents: ModelDocuments,
    private readonly log: vscode.LogOutputChannel,
  ) {
    super();
    this.own(documents.onDidChange((model) => this.soon(model)));
    const text = (document: vscode.TextDocument): void => {
      if (isPlan(document.uri)) void this.ofPlan(document.uri);
    };
    this.own(vscode.workspace.onDidOpenTextDocument(text));
    this.own(vscode.workspace.onDidSaveTextDocument(text));
    this.own(vscode.workspace.onDidCloseTextDocument(text));
    this.own(
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) text(document);
      }),
    );
    this.own(
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        for (const { input } of closed)
          if (input instanceof vscode.TabInputCustom && input.viewType === VIEW_TYPE) this.soon(input.uri);
      }),
    );
    vscode.workspace.textDocuments.forEach(text);
  }

  override dispose(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    super.dispose();
  }

  private async ofPlan(plan: vscode.Uri): Promise<void> {
    // The text may not be a plan yet; its model then is the one of the same name.
    const model =
      (await modelUriOf(plan)) ??
      vscode.Uri.joinPath(
        plan,
        '..',
        plan.path
          .split('/')
          .pop()!
          .replace(/\.quantmcu\.json$/, '.onnx'),
      );
    if (planUriOf(model).toString() === plan.toString()) this.soon(model);
  }

  private soon(model: vscode.Uri): void {
    if (this.isDisposed) return;
    const key = model.toString();
    clearTimeout(this.timers.get(key));
    this.timers.set(
      key,
      setTimeout(() => {
        this.timers.delete(key);
        void this.check(model);
      }, SETTLE_MS),
    );
  }

  private async check(model: vscode.Uri): Promise<void> {
    const key = model.toString();
    const check = (this.checks.get(key) ?? 0) + 1;
    this.checks.set(key, check);
    const plan = planUriOf(model);
    const shown = isShown(model);
    const planText = vscode.workspace.textDocuments.find(
      ({ uri, isClosed }) => !isClosed && uri.toString() === plan.toString(),
    );
    try {
      const ofModel = shown ? await this.modelDiagnostics(model) : [];
      const ofPlan = (shown || planText) && (await exists(plan)) ? await this.planDiagnostics(model, plan) : [];
      if (this.isDisposed || this.checks.get(key) !== check) return;
      this.collection.set(model, ofModel);
      this.collection.set(plan, ofPlan);
    } catch (error) {
      if (!isCancellation(error)) this.log.warn(`${plan.fsPath}: ${messageOf(error)}`);
    }
  }

  private async modelDiagnostics(model: vscode.Uri): Promise<vscode.Diagnostic[]> {
    const start = new vscode.Range(0, 0, 0, 0);
    let problems;
    try {
      ({
        model: { problems },
      } = await this.documents.get(model).view());
    } catch (error) {
      // No ONNX file at all, or one that cannot be read.
      return isCancellation(error)
        ? []
        : [diagnostic(start, messageOf(error), vscode.DiagnosticSeverity.Error, 'unreadable')];
    }
    return problems.map(({ node, operator, message, remedy }) =>
      diagnostic(
        start,
        `${operator} "${node}": ${message}. ${remedy}`.trim(),
        vscode.DiagnosticSeverity.Error,
        'unsupported',
      ),
    );
  }

  private async planDiagnostics(model: vscode.Uri, plan: vscode.Uri): Promise<vscode.Diagnostic[]> {
    const document = await vscode.workspace.openTextDocument(plan);
    const text = document.getText();
    const problems = await this.documents.get(model).problems();
    return problems.map((problem) =>
      diagnostic(
        placeOf(document, text, problem),
        problem.message,
        problem.severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning,
        problem.code,
      ),
    );
  }
}

function placeOf(document: vscode.TextDocument, text: string, { place }: PlanProblem): vscode.Range {
  const span = placeInText(text, place);
  return span ? rangeOf(document, span) : new vscode.Range(0, 0, 0, 1);
}

function diagnostic(
  range: vscode.Range,
  message: string,
  severity: vscode.DiagnosticSeverity,
  code: string,
): vscode.Diagnostic {
  const result = new vscode.Diagnostic(range, message, severity);
  result.source = SOURCE;
  result.code = code;
  return result;
}

function isShown(model: vscode.Uri): boolean {
  const key = model.toString();
  return vscode.window.tabGroups.all.some(({ tabs }) =>
    tabs.some(
      ({ input }) =>
        input instanceof vscode.TabInputCustom && input.viewType === VIEW_TYPE && input.uri.toString() === key,
    ),
  );
}

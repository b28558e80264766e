import * as vscode from 'vscode';
import type { PlanProblem } from '../../protocol/engine';
import { modelUriOf } from '../planFiles';
import { SOURCE } from './planDiagnostics';
import { PLAN_DOCUMENTS } from './ranges';

const QUANTIZE_AGAIN: readonly PlanProblem['code'][] = [
  'invalid',
  'model-changed',
  'parameters-missing',
  'parameters-other',
];

/** What can be done about a plan's problems from the light bulb. */
class QuickFixes implements vscode.CodeActionProvider {
  async provideCodeActions(
    document: vscode.TextDocument,
    _range: vscode.Range,
    { diagnostics }: vscode.CodeActionContext,
  ): Promise<vscode.CodeAction[]> {
    const own = diagnostics.filter(({ source }) => source === SOURCE);
    if (own.length === 0) return [];
    const model = await modelUriOf(document.uri);
    return own.flatMap((diagnostic) => {
      const code = diagnostic.code as PlanProblem['code'];
      if (code === 'images-missing')
        return [fix(vscode.l10n.t('Choose Images…'), 'quantmcu.chooseImages', document.uri, diagnostic)];
      return model && QUANTIZE_AGAIN.includes(code)
        ? [fix(vscode.l10n.t('Quantize Again…'), 'quantmcu.quantize', model, diagnostic)]
        : [];
    });
  }
}

function fix(title: string, command: string, argument: vscode.Uri, diagnostic: vscode.Diagnostic): vscode.CodeAction {
  const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  action.command = { title, command, arguments: [argument] };
  action.diagnostics = [diagnostic];
  action.isPreferred = true;
  return action;
}

export function registerQuickFixes(): vscode.Disposable {
  return vscode.languages.registerCodeActionsProvider(PLAN_DOCUMENTS, new QuickFixes(), {
    providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
  });
}

import * as vscode from 'vscode';
import type { Span } from './planText';

/** Documents that are plans. */
export const PLAN_DOCUMENTS: vscode.DocumentFilter = { scheme: 'file', pattern: '**/*.quantmcu.json' };

export function rangeOf(document: vscode.TextDocument, { start, end }: Span): vscode.Range {
  return new vscode.Range(document.positionAt(start), document.positionAt(end));
}

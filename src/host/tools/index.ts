import * as vscode from 'vscode';
import type { Services } from '../services';
import { InspectTool } from './inspectTool';
import { QuantizeTool } from './quantizeTool';

/** Tools for language models, as package.json describes them. */
export function registerTools(services: Services): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.lm.registerTool('inspect_model', new InspectTool(services)),
    vscode.lm.registerTool('quantize_model', new QuantizeTool(services)),
  );
}

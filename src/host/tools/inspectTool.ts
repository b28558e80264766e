import * as vscode from 'vscode';
import type { EditorView, LayerView } from '../../protocol/views';
import type { Services } from '../services';
import { isModel, nameOf } from '../planFiles';
import { workspacePath } from './workspacePath';

export interface InspectInput {
  readonly model: string;
  readonly layers?: boolean;
}

/** Layers that are listed; a language model's context is short. */
const MAX_LAYERS = 300;

/** Lets a language model look at a model and its plan. Changes nothing. */
export class InspectTool implements vscode.LanguageModelTool<InspectInput> {
  constructor(private readonly services: Pick<Services, 'documents'>) {}

  prepareInvocation({
    input,
  }: vscode.LanguageModelToolInvocationPrepareOptions<InspectInput>): vscode.PreparedToolInvocation {
    return { invocationMessage: vscode.l10n.t('Inspecting {0}', String(input.model)) };
  }

  async invoke({
    input,
  }: vscode.LanguageModelToolInvocationOptions<InspectInput>): Promise<vscode.LanguageModelToolResult> {
    const model = await workspacePath(input.model, 'the model');
    if (!isModel(model)) throw new Error(`${nameOf(model)} is not an .onnx file.`);
    const view = await this.services.documents.get(model).view();
    return new vscode.LanguageModelToolResult([
      new vscode.LanguageModelTextPart(JSON.stringify(summarize(view, input.layers !== false))),
    ]);
  }
}

function summarize({ model, plan, planProblem }: EditorView, withLayers: boolean): object {
  const { name, file, fileBytes, opset, inputs, outputs, macs, parameters, problems, layers } = model;
  return {
    name,
    file,
    fileBytes,
    opset,
    inputs,
    outputs,
    macs,
    parameters,
    problems,
    plan: plan && { target: plan.target, stage: plan.stage, figures: plan.figures, search: plan.search },
    planProblem,
    layerCount: layers.length,
    ...(withLayers ? { layers: layers.slice(0, MAX_LAYERS).map(summarizeLayer) } : {}),
  };
}

function summarizeLayer({ id, name, operators, detail, output, macs, problem, plan }: LayerView): object {
  return {
    id,
    name,
    operators,
    detail,
    macs,
    output: output && `${output.h}x${output.w}x${output.c}`,
    ...(problem ? { problem } : {}),
    ...(plan
      ? {
          bits: plan.bits,
          inputBits: plan.inputBits,
          weightBits: plan.weightBits,
          mapBytes: plan.mapBytes,
          weightBytes: plan.weightBytes,
          inPatchStage: plan.inPatchStage,
        }
      : {}),
  };
}

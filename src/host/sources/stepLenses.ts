import * as path from 'node:path';
import * as vscode from 'vscode';
import { Disposable } from '../dispose';
import type { ModelDocuments } from '../editor/documents';
import { formatBytes } from '../format';
import { layerHover } from '../plans/layerHover';
import { nameOf } from '../planFiles';
import { projectOf } from '../commands/projectMemory';
import { readGenerated, type GeneratedSource } from './generatedSource';

const C_DOCUMENTS: vscode.DocumentFilter = { scheme: 'file', pattern: '**/*.c' };

/** A lens whose title is found when it is seen. */
class StepLens extends vscode.CodeLens {
  constructor(
    range: vscode.Range,
    readonly model: vscode.Uri,
    readonly layer: number,
  ) {
    super(range);
  }
}

/** Ways from the layers' comments in generated C to the editor: a lens above each, and figures on hover. */
export class StepFeatures extends Disposable implements vscode.CodeLensProvider<StepLens>, vscode.HoverProvider {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(
    private readonly documents: ModelDocuments,
    private readonly memory: vscode.Memento,
  ) {
    super();
    this.own(documents.onDidChange(() => this.changed.fire()));
    // A source may be open before its model is there, or found.
    const models = this.own(vscode.workspace.createFileSystemWatcher('**/*.{onnx,ONNX}', false, true, false));
    this.own(models.onDidCreate(() => this.changed.fire()));
    this.own(models.onDidDelete(() => this.changed.fire()));
    this.own(vscode.languages.registerCodeLensProvider(C_DOCUMENTS, this));
    this.own(vscode.languages.registerHoverProvider(C_DOCUMENTS, this));
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<StepLens[]> {
    const source = readGenerated(document.getText());
    const model = source && source.steps.length > 0 ? await this.modelOf(document.uri, source) : undefined;
    return model ? source!.steps.map(({ line, layer }) => new StepLens(document.lineAt(line).range, model, layer)) : [];
  }

  async resolveCodeLens(lens: StepLens): Promise<StepLens> {
    const { model, layer } = lens;
    const shown = await this.documents
      .get(model)
      .view()
      .then(
        ({ model: { layers } }) => layers[layer],
        () => undefined,
      );
    const figures = shown?.plan
      ? vscode.l10n.t('{0}-bit map, {1}', shown.plan.bits, formatBytes(shown.plan.mapBytes))
      : '';
    const title =
      figures === '' ? vscode.l10n.t('Show in the Editor') : vscode.l10n.t('Show in the Editor ({0})', figures);
    lens.command = { title: `$(symbol-structure) ${title}`, command: 'quantmcu.showLayer', arguments: [model, layer] };
    return lens;
  }

  async provideHover(document: vscode.TextDocument, { line }: vscode.Position): Promise<vscode.Hover | undefined> {
    if (!/^\s*\/\* Layer \d/.test(document.lineAt(line).text)) return undefined;
    const source = readGenerated(document.getText());
    const step = source?.steps.find((other) => other.line === line);
    const model = step && (await this.modelOf(document.uri, source!));
    const layer =
      model &&
      (await this.documents
        .get(model)
        .view()
        .then(
          ({ model: { layers } }) => layers[step.layer],
          () => undefined,
        ));
    return layer && new vscode.Hover(layerHover(model, layer), document.lineAt(line).range);
  }

  /**
   * The model that a file was generated from: one of this name whose sources last went to this project, else the
   * nearest one.
   */
  private async modelOf(file: vscode.Uri, { modelFile }: GeneratedSource): Promise<vscode.Uri | undefined> {
    const name = path.posix.basename(modelFile.replaceAll('\\', '/'));
    const found = (await vscode.workspace.findFiles('**/*.{onnx,ONNX}', '**/node_modules/**', 500)).filter(
      (uri) => nameOf(uri) === name,
    );
    const inProject = found.find((uri) => {
      const project = projectOf(this.memory, uri);
      return project !== undefined && file.fsPath.startsWith(project + path.sep);
    });
    const distance = (uri: vscode.Uri): number =>
      path.relative(path.dirname(file.fsPath), uri.fsPath).split(path.sep).length;
    return inProject ?? found.sort((a, b) => distance(a) - distance(b))[0];
  }
}

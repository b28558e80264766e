import * as vscode from 'vscode';
import type { EditorView, LayerView } from '../../protocol/views';
import { boardName } from '../boardName';
import { Disposable } from '../dispose';
import type { ModelDocuments } from '../editor/documents';
import { formatBytes } from '../format';
import { modelUriOf } from '../planFiles';
import { layerHover } from './layerHover';
import { planRows, type PlanRow } from './planText';
import { PLAN_DOCUMENTS, rangeOf } from './ranges';

/** The layer that a row of a plan is about: its own, or the one that writes its map. */
export function layerOf(view: EditorView, row: PlanRow): LayerView | undefined {
  return view.model.layers.find((layer) => (row.kind === 'layer' ? layer.name : layer.outputName) === row.name);
}

/** Ways from a plan's text to the editor: lenses above it, links on names, and figures on hover. */
export class PlanFeatures
  extends Disposable
  implements vscode.CodeLensProvider, vscode.HoverProvider, vscode.DocumentLinkProvider
{
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(private readonly documents: ModelDocuments) {
    super();
    this.own(documents.onDidChange(() => this.changed.fire()));
    this.own(vscode.languages.registerCodeLensProvider(PLAN_DOCUMENTS, this));
    this.own(vscode.languages.registerHoverProvider(PLAN_DOCUMENTS, this));
    this.own(vscode.languages.registerDocumentLinkProvider(PLAN_DOCUMENTS, this));
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    const model = await modelUriOf(document.uri);
    if (!model) return [];
    const top = new vscode.Range(0, 0, 0, 0);
    const lens = (title: string, command: string): vscode.CodeLens =>
      new vscode.CodeLens(top, { title, command, arguments: [model] });
    const view = await this.viewOf(model);
    const figures = view?.plan?.figures;
    const title =
      figures && view.plan
        ? vscode.l10n.t(
            '{0}: SRAM {1} of {2}, flash {3}',
            boardName(view.plan.target),
            formatBytes(figures.arenaBytes),
            formatBytes(view.plan.target.sramBytes),
            formatBytes(figures.flashBytes),
          )
        : vscode.l10n.t('Show in the Editor');
    return [
      lens(`$(symbol-structure) ${title}`, 'quantmcu.showLayer'),
      lens(vscode.l10n.t('Quantize Again…'), 'quantmcu.quantize'),
      lens(vscode.l10n.t('Generate C…'), 'quantmcu.generate'),
    ];
  }

  async provideHover(document: vscode.TextDocument, position: vscode.Position): Promise<vscode.Hover | undefined> {
    const offset = document.offsetAt(position);
    const row = planRows(document.getText()).find(({ key }) => key.start <= offset && offset < key.end);
    const model = row && (await modelUriOf(document.uri));
    const view = model && (await this.viewOf(model));
    const layer = view && layerOf(view, row);
    return layer && new vscode.Hover(layerHover(model, layer), rangeOf(document, row.key));
  }

  async provideDocumentLinks(document: vscode.TextDocument): Promise<vscode.DocumentLink[]> {
    const model = await modelUriOf(document.uri);
    const view = model && (await this.viewOf(model));
    if (!view) return [];
    return planRows(document.getText()).flatMap((row) => {
      const layer = layerOf(view, row);
      if (!layer) return [];
      const target = vscode.Uri.parse(
        `command:quantmcu.showLayer?${encodeURIComponent(JSON.stringify([model.toString(), layer.id]))}`,
      );
      const link = new vscode.DocumentLink(rangeOf(document, row.key), target);
      link.tooltip = vscode.l10n.t('Show in the Editor');
      return [link];
    });
  }

  /** Problems of the model are reported elsewhere. */
  private viewOf(model: vscode.Uri): Promise<EditorView | undefined> {
    return this.documents
      .get(model)
      .view()
      .catch(() => undefined);
  }
}

import * as vscode from 'vscode';
import { answersOf } from '../commands/generateAnswers';
import { insertUsage } from '../commands/insertUsage';
import { tickStep } from '../firstSteps';
import type { Usage } from '../../engine/codegen/usageTypes';
import type { EditorHost, EditorPage, GeneratedView, OutcomeView } from '../../protocol/editor';
import { RpcPeer } from '../../protocol/peer';
import type { RpcMessage } from '../../protocol/rpc';
import { Disposable } from '../dispose';
import { isCancellation, messageOf } from '../log';
import type { Services } from '../services';
import type { ModelDocument } from './document';
import { pageHtml, pageRoots } from './page';
import { saveFile } from './saveFile';
import { fitWeights, pickSweepPoint, runSweep } from './sweeps';

/** The commands that the page may run, by the protocol's names. */
const COMMANDS: Record<Parameters<EditorHost['runCommand']>[0], string> = {
  quantize: 'quantmcu.quantize',
  generate: 'quantmcu.generate',
  generateAgain: 'quantmcu.generateAgain',
  selftest: 'quantmcu.selftest',
  evaluate: 'quantmcu.evaluate',
  openPlan: 'quantmcu.openPlan',
  cancel: 'quantmcu.cancel',
  keep: 'quantmcu.keep',
  largerBudget: 'quantmcu.largerBudget',
};

/** Sources of the model in a firmware project. */
export interface GeneratedPlace {
  readonly project: vscode.Uri;
  readonly usage: Usage;
  /** The network's header, if it was written there. */
  readonly header: vscode.Uri | null;
}

/** One tab that shows a model: joins its page with the document and the jobs. */
export class ModelEditor extends Disposable {
  private readonly peer: RpcPeer;
  private readonly page: EditorPage;
  private isReady = false;
  /** A layer to select as soon as the page shows the model. */
  private wanted: number | null = null;
  private isShown = false;
  /** To be reported as soon as the page shows the model. */
  private result: { readonly ok: boolean; readonly message: string } | null = null;
  private outcome: OutcomeView | null = null;
  private generated: GeneratedView | null = null;
  /** Where what was generated last lies. */
  private place: GeneratedPlace | null = null;
  /** Counts loads, so that a slow one never overwrites the result of a later one. */
  private load = 0;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly document: ModelDocument,
    private readonly services: Services,
  ) {
    super();
    const { jobs, extensionUri: extension } = services;
    const { webview } = panel;
    this.peer = new RpcPeer((message) => void webview.postMessage(message));
    this.page = this.peer.client<EditorPage>();
    this.peer.serve(() => this.host());
    this.own(webview.onDidReceiveMessage((message: RpcMessage) => this.peer.receive(message)));
    this.own(document.onDidChange(() => void this.show()));
    this.own(
      document.onDidPreview((preview) => {
        if (this.isReady) this.send(this.page.showPreview(preview));
      }),
    );
    this.own(
      document.onDidSweep(() => {
        if (this.isReady) this.send(this.page.sweepsChanged());
      }),
    );
    this.own(
      jobs.onDidChange((model) => {
        if (model.toString() === document.uri.toString()) this.showProgress();
      }),
    );
    // A hidden page is destroyed; it is recreated and asks again when its tab is shown.
    this.own(
      panel.onDidChangeViewState(() => {
        if (!panel.visible) this.isReady = this.isShown = false;
      }),
    );
    this.own(panel.onDidDispose(() => this.dispose()));
    webview.options = { enableScripts: true, localResourceRoots: pageRoots(extension) };
    webview.html = pageHtml(webview, extension);
  }

  override dispose(): void {
    if (!this.isDisposed) this.peer.close(new vscode.CancellationError());
    super.dispose();
  }

  get isVisible(): boolean {
    return this.panel.visible;
  }

  get uri(): vscode.Uri {
    return this.document.uri;
  }

  /** Selects a layer, at once or when the page is there. @param layer index in the view */
  revealLayer(layer: number): void {
    this.wanted = layer;
    this.revealWanted();
  }

  /** Tells what came of something that was run on the model. */
  showResult(result: { readonly ok: boolean; readonly message: string }): void {
    this.result = result;
    this.tellResult();
  }

  /** Tells what a quantization came to. */
  showOutcome(outcome: OutcomeView): void {
    this.outcome = outcome;
    this.tellResult();
  }

  /** Tells what was generated, and keeps where it lies for what the page offers next. */
  showGenerated(place: GeneratedPlace, generated: GeneratedView): void {
    this.place = place;
    this.generated = generated;
    this.tellResult();
  }

  private tellResult(): void {
    if (!this.isShown) return;
    if (this.generated !== null) this.send(this.page.showGenerated(this.generated));
    if (this.outcome !== null) this.send(this.page.showOutcome(this.outcome));
    if (this.result !== null) this.send(this.page.showResult(this.result));
    this.result = this.outcome = this.generated = null;
  }

  private revealWanted(): void {
    if (this.wanted === null || !this.isShown) return;
    this.send(this.page.revealLayer(this.wanted));
    this.wanted = null;
  }

  private host(): EditorHost {
    return {
      // Also when the page is reloaded, e.g. after its tab was hidden.
      ready: async () => {
        this.isReady = true;
        this.isShown = false;
        this.showProgress();
        await this.show();
      },
      runCommand: async (command) => {
        if (!Object.hasOwn(COMMANDS, command)) throw new Error(`The page may not run '${String(command)}'.`);
        // Not awaited: the command may ask questions for minutes; it reports its own failures.
        void vscode.commands.executeCommand(COMMANDS[command], this.document.uri);
      },
      changePlan: (change) => this.document.change(change),
      undo: () => this.document.history.undo(),
      redo: () => this.document.history.redo(),
      fit: () => this.document.fit(),
      firstFit: () => this.document.firstFit(),
      quantizeFor: async ({ id, name }) => {
        void vscode.commands.executeCommand(COMMANDS.quantize, this.document.uri, {
          id: String(id),
          name: String(name),
        });
      },
      sampleImage: () => this.document.sampleImage(),
      detections: (image) => this.document.detections(Number(image)),
      targets: () => this.document.targets(),
      layout: (request) => this.document.layout(request),
      layerDetails: (layer, channel) => this.document.layerDetails(layer, channel),
      tradeOff: () => this.document.tradeOff(),
      sweeps: () => this.document.sweeps(),
      runSweep: (parameter) => runSweep(this.document, this.services, parameter),
      pickSweepPoint: (parameter, value) => pickSweepPoint(this.document, this.services, parameter, value),
      fitWeights: () => fitWeights(this.document, this.services),
      otherPlan: (which) => this.document.otherPlan(which),
      saveFile: (file) => saveFile(this.document.uri, file),
      generatedCode: (layer) => this.document.generatedCode(layer),
      openGeneratedCode: (layer) => this.document.openGeneratedCode(layer),
      generatedInto: async () => {
        const answers = answersOf(this.services.memory, this.document.uri);
        return answers ? vscode.workspace.asRelativePath(answers.project) : null;
      },
      openHeader: async () => {
        const header = this.place?.header;
        if (header) await vscode.window.showTextDocument(header, { viewColumn: vscode.ViewColumn.Beside });
      },
      insertUsage: async () => {
        if (this.place) await insertUsage(this.place.project, this.place.usage);
      },
      copyText: async (text) => vscode.env.clipboard.writeText(String(text)),
      previewChange: (change) => this.document.previewChange(change),
    };
  }

  private async show(): Promise<void> {
    if (!this.isReady) return;
    const load = ++this.load;
    try {
      const view = await this.document.view();
      if (load !== this.load) return;
      this.send(this.page.show(view));
      if (view.plan) tickStep('look');
      this.isShown = true;
      this.revealWanted();
      this.tellResult();
    } catch (error) {
      if (load !== this.load || isCancellation(error)) return;
      this.services.log.warn(`${this.document.uri.fsPath}: ${messageOf(error)}`);
      this.send(this.page.showError(messageOf(error)));
    }
  }

  private showProgress(): void {
    if (this.isReady) this.send(this.page.showProgress(this.services.jobs.progressOf(this.document.uri)));
  }

  /** A page that is hidden or gone does not answer; one that fails says so in the log. */
  private send(call: Promise<void>): void {
    call.catch((error: unknown) => {
      if (!this.isDisposed && !isCancellation(error))
        this.services.log.error(`The editor of ${this.document.uri.fsPath}: ${messageOf(error)}`);
    });
  }
}

import * as vscode from 'vscode';
import type { PlanChange } from '../../engine/run/whatIf/changes';
import type { LayerDetailsView } from '../../protocol/details';
import type { DetectionsView } from '../../protocol/detections';
import type { GeneratedCodeView, OtherPlan } from '../../protocol/editor';
import type { PlanProblem, ViewRequest } from '../../protocol/engine';
import type { DrawingRequest, DrawingView } from '../../protocol/drawing';
import type { FirstFitView, FitView } from '../../protocol/fit';
import type { SweepView } from '../../protocol/sweeps';
import type { TradeOffView } from '../../protocol/tradeOff';
import type { EditorView, PreviewView, SampleImageView, TargetView } from '../../protocol/views';
import { Disposable } from '../dispose';
import type { EngineClient } from '../engineClient/client';
import { exists, parametersUriOf, planUriOf, resultsUriOf, sweepsUriOf } from '../planFiles';
import { checkFit, FirstFit } from '../fit';
import { quantizeSettings, SECTION } from '../settings';
import { findGeneratedCode, generatedCodeView, openGeneratedCode } from './generatedCode';
import { otherPlan } from './otherPlan';
import { PlanHistory } from './planHistory';
import { watchFile } from './watch';

/** Several writes of one save, of the model, its plan and its parameters, lead to one reload. */
const SETTLE_MS = 200;

/**
 * An opened model: its view is computed once for all editors that show it, and again when the model or its plan changes
 * on disk.
 */
export class ModelDocument extends Disposable implements vscode.CustomDocument {
  readonly plan: vscode.Uri;
  readonly history: PlanHistory;
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChange = this.changed.event;
  private readonly previewed = this.own(new vscode.EventEmitter<PreviewView>());
  /** Figures of a change that was just made; the view follows. */
  readonly onDidPreview = this.previewed.event;
  private readonly sweptPlan = this.own(new vscode.EventEmitter<void>());
  readonly onDidSweep = this.sweptPlan.event;
  private readonly ended = new vscode.EventEmitter<void>();
  readonly onDidDispose = this.ended.event;
  private current: Promise<EditorView> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private prepared = false;
  private readonly first: FirstFit;

  constructor(
    readonly uri: vscode.Uri,
    private readonly engine: EngineClient,
  ) {
    super();
    this.first = new FirstFit(engine, uri);
    this.plan = planUriOf(uri);
    this.history = new PlanHistory(this.plan, parametersUriOf(uri));
    this.own(watchFile(uri, () => this.reloadSoon()));
    this.own(watchFile(this.plan, () => this.reloadSoon()));
    this.own(watchFile(resultsUriOf(uri), () => this.reloadSoon()));
    this.own(watchFile(sweepsUriOf(uri), () => this.sweptPlan.fire()));
    this.own(watchFile(parametersUriOf(uri), () => this.reloadSoon()));
    // Also what has been typed into the plan and not been saved.
    this.own(
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0 && document.uri.toString() === this.plan.toString()) this.reloadSoon();
      }),
    );
    this.own(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(`${SECTION}.inputSizes`, uri)) this.reloadSoon();
      }),
    );
  }

  /**
   * The model as it is on disk now, with its plan if there is one. Rejects with one line for the user where it cannot
   * be read.
   */
  view(): Promise<EditorView> {
    if (!this.current) {
      const loading = this.load();
      this.current = loading;
      // A failure, e.g. of an engine that ended, is forgotten: the next request tries again.
      loading.catch(() => {
        if (this.current === loading) this.current = undefined;
      });
    }
    return this.current;
  }

  /** What is wrong with the plan as it is now, saved or not. */
  problems(): Promise<readonly PlanProblem[]> {
    return this.engine.ask((engine) => engine.checkPlan(this.request()));
  }

  private async load(): Promise<EditorView> {
    this.first.forget();
    const isPlanned = await exists(this.plan);
    const view = await this.engine.ask((engine) => engine.view(this.request()));
    if (!isPlanned) void this.foresee();
    if (view.plan && !this.prepared) {
      this.prepared = true;
      // What goes wrong here is said when something is really changed.
      this.engine.ask((engine) => engine.prepare(this.request()), {}, 'changes').catch(() => undefined);
    }
    return view;
  }

  /**
   * Changes the plan's text, as one step that can be undone. Rejects with one line for the user where the change is not
   * possible; nothing is changed then.
   */
  async change(change: PlanChange): Promise<void> {
    await this.history.edit(async (planText) => {
      const result = await this.engine.ask(
        (engine) => engine.change({ ...this.request(), planText, change }),
        {},
        'changes',
      );
      this.previewed.fire(result.preview);
      return result.planText;
    });
  }

  /** The figures that a change would lead to; null where it is not possible. Changes nothing. */
  async previewChange(change: PlanChange): Promise<PreviewView | null> {
    const document = await vscode.workspace.openTextDocument(this.plan);
    return this.engine.ask(
      (engine) => engine.previewChange({ ...this.request(), planText: document.getText(), change }),
      {},
      'changes',
    );
  }

  /** An image for the patches. Only in a trusted workspace: the plan names a folder that may be anywhere. */
  async sampleImage(): Promise<SampleImageView | null> {
    return vscode.workspace.isTrusted
      ? this.engine.ask((engine) => engine.sampleImage(this.request()), {}, 'changes')
      : null;
  }

  /** Boxes on a sample image, in a trusted workspace only, as {@link sampleImage}. */
  async detections(image: number): Promise<DetectionsView | null> {
    return vscode.workspace.isTrusted
      ? this.engine.ask((engine) => engine.detections({ ...this.request(), image }), {}, 'plans')
      : null;
  }

  fit(): Promise<FitView> {
    return checkFit(this.engine, this.uri);
  }

  firstFit(): Promise<FirstFitView> {
    return this.first.get();
  }

  /**
   * Works out what will be asked for next where there is no plan, while the page is being loaded: which boards the
   * model fits, then the model where its preprocessing is found. What goes wrong here is said when it is asked for.
   */
  private async foresee(): Promise<void> {
    try {
      await this.first.get();
      await this.fit();
      const { modelPath, sizes } = this.request();
      await this.engine.ask((engine) => engine.readModel({ modelPath, sizes }), {}, 'plans');
    } catch {
      return;
    }
  }

  targets(): Promise<readonly TargetView[]> {
    return this.engine.ask((engine) => engine.targets());
  }

  layout(request: DrawingRequest): Promise<DrawingView> {
    return this.engine.ask((engine) => engine.layout(request));
  }

  layerDetails(layer: number, channel: number | null): Promise<LayerDetailsView> {
    return this.engine.ask((engine) => engine.layerDetails({ ...this.request(), layer, channel }));
  }

  /** On a lane of its own: it may take seconds, and neither views nor changes should wait for it. */
  tradeOff(): Promise<TradeOffView> {
    return this.engine.ask((engine) => engine.tradeOff(this.request()), {}, 'plans');
  }

  sweeps(): Promise<readonly SweepView[]> {
    return this.engine.ask((engine) => engine.sweeps(this.plan.fsPath));
  }

  otherPlan(which: 'int8' | 'pick'): Promise<OtherPlan | null> {
    return otherPlan(which, this.uri, this.request(), this.engine);
  }

  async generatedCode(layer: number): Promise<GeneratedCodeView | null> {
    const place = await this.generatedPlace(layer);
    return place ? generatedCodeView(place) : null;
  }

  async openGeneratedCode(layer: number): Promise<void> {
    const place = await this.generatedPlace(layer);
    if (!place) throw new Error(vscode.l10n.t('The generated code no longer exists. Generate it again.'));
    await openGeneratedCode(place);
  }

  private async generatedPlace(layer: number): ReturnType<typeof findGeneratedCode> {
    const found = (await this.view()).model.layers[layer];
    return found && findGeneratedCode(this.uri, found);
  }

  private request(): ViewRequest {
    const open = vscode.workspace.textDocuments.find(
      ({ uri, isDirty }) => isDirty && uri.toString() === this.plan.toString(),
    );
    return {
      modelPath: this.uri.fsPath,
      planPath: this.plan.fsPath,
      sizes: quantizeSettings(this.uri).sizes,
      ...(open ? { planText: open.getText() } : {}),
    };
  }

  /**
   * Forgets the view at once: for callers that wrote the plan and do not wait for the file watcher.
   */
  reload(): void {
    clearTimeout(this.timer);
    this.current = undefined;
    this.changed.fire();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    clearTimeout(this.timer);
    super.dispose();
    this.ended.fire();
    this.ended.dispose();
  }

  private reloadSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.reload(), SETTLE_MS);
  }
}

/** The page's frame: header, tabs with their views, the memory panel below and the details next to them. */
import type { EditorPage, GeneratedView, OutcomeView } from '../src/protocol/editor';
import type { EditorView, PreviewView } from '../src/protocol/views';
import { Banners, type Progress } from './banners';
import { CompareView } from './compare/compareView';
import type { Context } from './context';
import { DetailsView } from './details/detailsView';
import { DetectionsView } from './detections/detectionsView';
import { fill, h, setAria } from './dom';
import { Exporter } from './export/exporter';
import { FitView } from './fit/fitView';
import { GraphView } from './graph/graphView';
import { HeaderView } from './header/headerView';
import { openHelp } from './help';
import { icon } from './icons';
import { t } from './l10n';
import { LayersView } from './layers/layersView';
import { openMenu } from './menu';
import { MemoryView } from './memory/memoryView';
import { PatchesView } from './patches/patchesView';
import { ProblemsView } from './problems/problemsView';
import { splitter, type Splitter } from './splitter';
import type { Tab } from './state';
import { TabBar, type TabSpec } from './tabs';
import { TradeOffView } from './tradeOff/tradeOffView';
import { iconButton } from './ui';

export class App implements EditorPage {
  private readonly header: HeaderView;
  private readonly banners: Banners;
  private readonly fit: FitView;
  private readonly layers: LayersView;
  readonly graph: GraphView;
  private readonly patches: PatchesView;
  private readonly detections: DetectionsView;
  readonly tradeOff: TradeOffView;
  readonly compare: CompareView;
  private readonly exporter: Exporter;
  private readonly problems: ProblemsView;
  readonly memory: MemoryView;
  private readonly details: DetailsView;
  private readonly tabs: TabBar;
  private readonly panels: Record<Tab, HTMLElement>;
  private readonly workbench: HTMLElement;
  private readonly dock: HTMLElement;
  private readonly detailsToggle: HTMLButtonElement;
  private readonly refreshSplitters: () => void;
  /** Room for one thing next to another; the styles know the same widths and heights. */
  private readonly narrow = window.matchMedia('(max-width: 760px)');
  private readonly low = window.matchMedia('(max-height: 620px)');
  /** In a narrow window details replace the rest, and only on request. */
  private detailsInstead = false;

  constructor(
    private readonly root: HTMLElement,
    private readonly context: Context,
  ) {
    const { store } = context;
    this.header = new HeaderView(context, {
      compare: (which) => this.openComparison(which),
      exportAs: (anchor) => this.exportAs(anchor),
    });
    this.banners = new Banners(context);
    this.fit = new FitView(context);
    this.layers = new LayersView(context);
    this.graph = new GraphView(context);
    this.patches = new PatchesView(context);
    this.detections = new DetectionsView(context);
    this.tradeOff = new TradeOffView(context);
    this.compare = new CompareView(context, () => this.closeComparison());
    this.problems = new ProblemsView(context);
    this.memory = new MemoryView(context);
    this.details = new DetailsView(context, () => this.showDetails(false));
    this.exporter = new Exporter(context, this);
    this.tabs = new TabBar(t('Views'), (tab) => store.update({ tab }));
    this.panels = {
      fit: h('div', { class: 'panel' }, this.fit.element),
      graph: h('div', { class: 'panel' }, this.graph.element),
      layers: h('div', { class: 'panel' }, this.layers.element),
      patches: h('div', { class: 'panel' }, this.patches.element),
      detections: h('div', { class: 'panel' }, this.detections.element),
      tradeOff: h('div', { class: 'panel' }, this.tradeOff.element),
      compare: h('div', { class: 'panel' }, this.compare.element),
      problems: h('div', { class: 'panel' }, this.problems.element),
    };
    const [dockSplitter, detailsSplitter] = this.splitters();
    this.refreshSplitters = () => {
      dockSplitter.refresh();
      detailsSplitter.refresh();
    };
    this.detailsToggle = iconButton('details', t('Details'), () => this.showDetails(!this.detailsOpen()));
    store.onDetails(() => this.showDetails(true));
    for (const query of [this.narrow, this.low])
      query.addEventListener('change', () => {
        this.detailsInstead = false;
        if (store.view !== null) this.arrange();
      });
    this.dock = h('div', { class: 'dock' }, dockSplitter.element, this.memory.element);
    const side = h('div', { class: 'side' }, detailsSplitter.element, this.details.element);
    this.workbench = h('div', { class: 'workbench' }, this.main(), side);
    store.onChange((changed) => {
      if (changed.has('tab')) this.showTab();
      if (
        changed.has('dockOpen') ||
        changed.has('dockOpenElsewhere') ||
        changed.has('dockHeight') ||
        changed.has('detailsOpen') ||
        changed.has('detailsWidth')
      )
        this.arrange();
    });
    context.edits.onFailure((failure) => this.banners.showFailure(failure));
    document.addEventListener('keydown', (event) => this.onKey(event));
    this.showMessage(h('p', { class: 'muted' }, t('Reading the model…')));
  }

  /** Of the memory panel and of the details. */
  private splitters(): [Splitter, Splitter] {
    const { store } = this.context;
    const dock = splitter({
      orientation: 'horizontal',
      label: t('Height of the memory panel'),
      min: 120,
      max: () => this.workbench.clientHeight - 140,
      get: () => store.ui.dockHeight,
      set: (dockHeight) => store.update({ dockHeight }),
    });
    const details = splitter({
      orientation: 'vertical',
      label: t('Width of the details'),
      min: 220,
      max: () => this.workbench.clientWidth - 320,
      get: () => store.ui.detailsWidth,
      set: (detailsWidth) => store.update({ detailsWidth }),
    });
    return [dock, details];
  }

  private main(): HTMLElement {
    return h(
      'main',
      { class: 'main' },
      h('div', { class: 'tab-line' }, this.tabs.element, h('span', { class: 'spacer' }), this.detailsToggle),
      h('div', { class: 'panels' }, ...Object.values(this.panels)),
      this.dock,
    );
  }

  private onKey(event: KeyboardEvent): void {
    // Text fields undo their own text.
    const typing = (event.target as Element | null)?.closest('input, vscode-text-field') != null;
    if (event.altKey && event.key === 'F1') {
      event.preventDefault();
      openHelp();
    } else if ((event.ctrlKey || event.metaKey) && !typing && (event.key.toLowerCase() === 'z' || event.key === 'y')) {
      event.preventDefault();
      if (event.key === 'y' || event.shiftKey) this.context.edits.redo();
      else this.context.edits.undo();
    } else if ((event.ctrlKey || event.metaKey) && event.key === 'f') {
      event.preventDefault();
      if (this.shownTab() === 'graph') this.graph.focusSearch();
      else {
        this.context.store.update({ tab: 'layers' });
        this.layers.focusFilter();
      }
    }
  }

  async show(view: EditorView): Promise<void> {
    this.context.store.setView(view);
    if (!this.workbench.isConnected) fill(this.root, this.header.element, this.banners.element, this.workbench);
    this.header.render(view);
    this.banners.render(view);
    this.tabs.setTabs(this.tabsFor(view));
    this.showTab();
    this.dock.hidden = view.plan === null;
    this.arrange();
    this.fit.render(view);
    this.layers.render(view);
    this.graph.render(view);
    this.patches.render(view);
    this.detections.render(view);
    this.tradeOff.render(view);
    this.compare.render(view);
    this.problems.render(view);
    this.memory.render(view);
    this.details.render(view);
  }

  async showError(message: string): Promise<void> {
    this.showMessage(
      h(
        'div',
        { class: 'fatal', role: 'alert' },
        icon('error'),
        h('div', {}, h('h1', {}, t('This model cannot be read')), h('p', {}, message)),
      ),
    );
  }

  async revealLayer(layer: number): Promise<void> {
    const { store } = this.context;
    if (store.view?.model.layers[layer] === undefined) return;
    // A filter might hide its row.
    store.update({
      selected: layer,
      detailsOpen: true,
      filter: '',
      ...(this.shownTab() === 'graph' ? {} : { tab: 'layers' }),
    });
  }

  async showPreview(preview: PreviewView): Promise<void> {
    const { view } = this.context.store;
    if (view !== null) this.header.preview(view, preview);
  }

  async sweepsChanged(): Promise<void> {
    this.tradeOff.sweepsChanged();
  }

  async showResult(result: { readonly ok: boolean; readonly message: string }): Promise<void> {
    this.banners.showResult(result);
  }

  async showOutcome(outcome: OutcomeView): Promise<void> {
    this.banners.showOutcome(outcome);
  }

  async showGenerated(generated: GeneratedView): Promise<void> {
    this.banners.showGenerated(generated);
    this.header.generated();
  }

  async showProgress(progress: Progress | null): Promise<void> {
    this.banners.showProgress(progress);
  }

  private showMessage(content: HTMLElement): void {
    fill(this.root, h('div', { class: 'message' }, content));
  }

  private tabsFor({ model, plan }: EditorView): TabSpec[] {
    const tabs: TabSpec[] = [
      { id: 'graph', title: t('Graph'), icon: 'graph', panel: this.panels.graph },
      { id: 'layers', title: t('Layers'), icon: 'list', panel: this.panels.layers },
    ];
    if (plan !== null && plan.branches.length > 0)
      tabs.push({ id: 'patches', title: t('Patches'), icon: 'grid', panel: this.panels.patches });
    if (plan !== null && plan.head !== null)
      tabs.push({ id: 'detections', title: t('Boxes'), icon: 'boxes', panel: this.panels.detections });
    if (plan !== null)
      tabs.push({ id: 'tradeOff', title: t('Trade-off'), icon: 'tradeOff', panel: this.panels.tradeOff });
    if (plan !== null && this.compare.isOpen)
      tabs.push({ id: 'compare', title: t('Compare'), icon: 'compare', panel: this.panels.compare });
    if (model.problems.length > 0)
      tabs.push({
        id: 'problems',
        title: t('Problems'),
        icon: 'warning',
        count: model.problems.length,
        panel: this.panels.problems,
      });
    else {
      // What it fits is the first question of a new model, and the last of one that has a plan.
      const boards: TabSpec = { id: 'fit', title: t('Boards'), icon: 'chip', panel: this.panels.fit };
      if (plan === null) tabs.unshift(boards);
      else tabs.push(boards);
    }
    return tabs;
  }

  private shownTab(): Tab {
    const { store } = this.context;
    const { view } = store;
    const available = view === null ? [] : this.tabsFor(view).map((tab) => tab.id);
    if (store.ui.tab !== null && available.includes(store.ui.tab)) return store.ui.tab;
    if (view === null || view.plan !== null) return 'layers';
    return view.model.problems.length > 0 ? 'problems' : 'fit';
  }

  private showTab(): void {
    for (const panel of Object.values(this.panels)) panel.hidden = true;
    this.tabs.show(this.shownTab());
    this.fit.setShown(this.shownTab() === 'fit');
    this.graph.setShown(this.shownTab() === 'graph');
    this.detections.setShown(this.shownTab() === 'detections');
    this.tradeOff.setShown(this.shownTab() === 'tradeOff');
    if (this.workbench.isConnected) this.arrange();
  }

  private detailsOpen(): boolean {
    return this.narrow.matches ? this.detailsInstead : this.context.store.ui.detailsOpen;
  }

  private showDetails(open: boolean): void {
    if (this.narrow.matches) {
      this.detailsInstead = open;
      this.arrange();
    } else this.context.store.update({ detailsOpen: open });
  }

  private openComparison(which: 'int8' | 'pick'): void {
    const { edits, host, store } = this.context;
    edits.run(async () => {
      const other = await host.otherPlan(which);
      if (other === null || store.view === null) return;
      this.compare.open(other);
      this.compare.render(store.view);
      this.tabs.setTabs(this.tabsFor(store.view));
      store.update({ tab: 'compare' });
      this.showTab();
    });
  }

  private closeComparison(): void {
    const { store } = this.context;
    this.compare.close();
    if (store.view !== null) this.tabs.setTabs(this.tabsFor(store.view));
    store.update({ tab: 'layers' });
    this.showTab();
  }

  private exportAs(anchor: HTMLElement): void {
    const { view } = this.context.store;
    if (view !== null) openMenu(anchor, t('Export'), this.exporter.choices(view));
  }

  private arrange(): void {
    const { dockHeight, detailsWidth } = this.context.store.ui;
    const detailsOpen = this.detailsOpen();
    const tab = this.shownTab();
    this.memory.place((tab === 'graph' || tab === 'layers') && !this.low.matches && !this.narrow.matches);
    this.dock.classList.toggle('closed', !this.memory.isOpen);
    this.dock.style.setProperty('--dock-height', `${dockHeight}px`);
    this.workbench.classList.toggle('without-details', !detailsOpen);
    this.workbench.style.setProperty('--details-width', `${detailsWidth}px`);
    setAria(this.detailsToggle, 'pressed', detailsOpen);
    this.refreshSplitters();
  }
}

import type { BranchView, EditorView, PlanView, SampleImageView } from '../../src/protocol/views';
import type { Context } from '../context';
import { fill, h, setAria } from '../dom';
import { percent, plain } from '../format';
import { t } from '../l10n';
import { button, iconButton } from '../ui';
import { HeatMap } from './heatMap';
import { PhiSlider } from './phiSlider';

/** Patches that are drawn as elements of their own; the planner stays far below. */
const maxPatches = 1024;

/**
 * The patch stage: the grid over the input with the class of each patch and the halo of the chosen one, and the bits of
 * each branch and feature map.
 */
export class PatchesView {
  readonly element: HTMLElement;
  private readonly grid = h('div', { class: 'patch-grid', role: 'grid' });
  private readonly halo = h('div', { class: 'patch-halo', aria: { hidden: true } });
  private readonly summary = h('div', { class: 'patch-summary' });
  private readonly info = h('p', { class: 'patch-info', role: 'status' });
  private readonly image = h('canvas', { class: 'patch-image', role: 'img' });
  private readonly outliers = h('canvas', { class: 'patch-outliers', aria: { hidden: true } });
  private readonly markToggle: HTMLButtonElement;
  private sample: SampleImageView | null = null;
  private readonly imageName = h('p', { class: 'muted patch-caption' });
  /** Model, images and φ that the shown image is of; null before one was asked for. */
  private imageOf: string | null = null;
  private readonly phi: PhiSlider;
  private readonly heatMap: HeatMap;
  private plan: PlanView | null = null;
  private regularBits = '';
  private cells: readonly HTMLElement[] = [];

  constructor(private readonly context: Context) {
    const { store } = context;
    this.heatMap = new HeatMap(context);
    this.phi = new PhiSlider(context.edits);
    this.markToggle = iconButton(
      'outliers',
      t('Mark outlier values'),
      () => {
        this.outliers.hidden = !this.outliers.hidden;
        setAria(this.markToggle, 'pressed', !this.outliers.hidden);
      },
      { aria: { pressed: true } },
    );
    context.theme.onChange(() => this.drawOutliers());
    this.element = h(
      'div',
      { class: 'patches-view' },
      h(
        'section',
        { class: 'patch-left' },
        h(
          'div',
          { class: 'patch-title' },
          h('h2', {}, t('Patches over the input')),
          h('span', { class: 'spacer' }),
          this.markToggle,
        ),
        this.summary,
        this.phi.element,
        h('div', { class: 'patch-area' }, h('div', { class: 'patch-frame' }, this.image, this.outliers, this.grid)),
        this.imageName,
        this.info,
      ),
      h('section', { class: 'patch-right' }, h('h2', {}, t('Bits by branch and feature map')), this.heatMap.element),
    );
    this.image.hidden = this.imageName.hidden = this.markToggle.hidden = true;
    this.grid.addEventListener('keydown', (event) => this.onKey(event));
    this.grid.addEventListener('pointerleave', () => this.mark(store.ui.branch));
    store.onChange((changed) => {
      if (changed.has('branch')) this.mark(store.ui.branch);
    });
  }

  render(view: EditorView): void {
    const { plan } = view;
    this.plan = plan;
    if (plan === null || plan.stage === null || plan.branches.length === 0) return;
    this.regularBits = regularBits(view);
    const { rows, cols, splitLayer } = plan.stage;
    const outliers = plan.branches.filter((branch) => branch.class === 'outlier').length;
    const map = view.model.layers[splitLayer]?.output;
    this.grid.parentElement!.style.setProperty('--ratio', map == null ? '1' : String(map.w / map.h));
    setAria(this.grid, 'label', t('Patches, {0} rows and {1} columns', rows, cols));
    fill(
      this.summary,
      legend('regular', t('regular: {0}', this.regularBits), plan.branches.length - outliers),
      legend('outlier', t('outlier class: 8 bits'), outliers),
      h(
        'span',
        { class: 'muted' },
        plan.stage.classMode === 'static'
          ? t('decided on the calibration images')
          : t('decided on the board for each input'),
      ),
    );
    this.phi.render(plan);
    this.drawGrid(plan);
    void this.fetchImage(view);
    this.heatMap.render(view);
    this.mark(this.context.store.ui.branch);
  }

  /** Asks for a sample image once per model and set of images. */
  private async fetchImage({ model, plan }: EditorView): Promise<void> {
    const wanted = JSON.stringify([model.file, model.fileBytes, plan?.search.images, plan?.planFile, plan?.search.phi]);
    if (this.imageOf === wanted) return;
    this.imageOf = wanted;
    const image = await this.context.host.sampleImage().catch(() => null);
    if (this.imageOf === wanted) this.showImage(image ?? null);
  }

  private showImage(image: SampleImageView | null): void {
    this.image.hidden = this.imageName.hidden = image === null;
    this.sample = image;
    this.drawOutliers();
    this.mark(this.context.store.ui.branch);
    this.grid.classList.toggle('over-image', image !== null);
    if (image === null) return;
    const { name, width, height, rgba } = image;
    this.image.width = width;
    this.image.height = height;
    this.image.getContext('2d')!.putImageData(new ImageData(Uint8ClampedArray.from(rgba), width, height), 0, 0);
    const text = t('Calibration image {0}', name);
    setAria(this.image, 'label', text);
    fill(this.imageName, text);
  }

  /** Outliers as spots over the image, the stronger the more of a pixel's values they are. */
  private drawOutliers(): void {
    const map = this.sample?.outliers ?? null;
    this.markToggle.hidden = map === null;
    this.outliers.classList.toggle('none', map === null);
    if (map === null) return;
    const { width, height, shares } = map;
    this.outliers.width = width;
    this.outliers.height = height;
    const context = this.outliers.getContext('2d')!;
    context.fillStyle = this.context.theme.colors.warning;
    shares.forEach((share, pixel) => {
      if (share === 0) return;
      context.globalAlpha = Math.min(0.9, 0.3 + (3 * share) / 255);
      context.fillRect(pixel % width, Math.floor(pixel / width), 1, 1);
    });
  }

  /** Share of a patch's values in the shown image that are outliers; null without an image. */
  private outlierShare([y0, x0, y1, x1]: BranchView['patch']): number | null {
    const map = this.sample?.outliers ?? null;
    if (map === null) return null;
    const { width, height, shares } = map;
    let [sum, count] = [0, 0];
    for (let y = Math.floor(y0 * height); y < Math.ceil(y1 * height); y++) {
      for (let x = Math.floor(x0 * width); x < Math.ceil(x1 * width); x++) {
        sum += shares[y * width + x];
        count++;
      }
    }
    return count > 0 ? sum / 255 / count : null;
  }

  private drawGrid(plan: PlanView): void {
    const { store } = this.context;
    const lines: HTMLElement[] = [];
    const cells: HTMLElement[] = [];
    for (const branch of plan.branches.slice(0, maxPatches)) {
      const cell = h(
        'div',
        {
          class: `patch patch-${branch.class}`,
          role: 'gridcell',
          tabIndex: branch.id === (store.ui.branch ?? 0) ? 0 : -1,
          aria: {
            label: t(
              'Branch {0}, row {1}, column {2}, {3}',
              branch.id + 1,
              branch.row + 1,
              branch.col + 1,
              className(branch, this.regularBits),
            ),
          },
          on: {
            pointerenter: () => this.mark(branch.id),
            click: () => this.choose(branch.id),
            dblclick: () => this.toggleClass(branch.id),
            focus: () => store.update({ branch: branch.id }),
          },
        },
        h('span', { class: 'patch-number' }, String(branch.id + 1)),
        branch.class === 'outlier' && h('span', { class: 'patch-sign', aria: { hidden: true } }, '▲'),
      );
      place(cell, branch.patch);
      cells.push(cell);
      (lines[branch.row] ??= h('div', { role: 'row', class: 'patch-row' })).append(cell);
    }
    const hadFocus = this.grid.contains(document.activeElement);
    this.cells = cells;
    fill(this.grid, ...lines, this.halo);
    // The halo is decoration inside a grid, whose children may only be rows.
    this.grid.parentElement!.append(this.halo);
    if (hadFocus) cells[store.ui.branch ?? 0]?.focus();
  }

  /** Shows the halo and the facts of a branch. */
  private mark(id: number | null): void {
    const branch = id === null ? undefined : this.plan?.branches[id];
    this.halo.hidden = branch === undefined;
    this.cells.forEach((cell, index) => {
      cell.classList.toggle('marked', index === id);
      setAria(cell, 'selected', index === this.context.store.ui.branch);
      cell.tabIndex = index === (this.context.store.ui.branch ?? 0) ? 0 : -1;
    });
    this.heatMap.mark(id);
    if (branch === undefined) {
      fill(
        this.info,
        h('span', { class: 'muted' }, t('Hover over a patch to see the part of the input that its branch reads.')),
      );
      return;
    }
    place(this.halo, branch.input);
    const area = ([y0, x0, y1, x1]: BranchView['input']): number => (y1 - y0) * (x1 - x0);
    fill(
      this.info,
      h('strong', {}, t('Branch {0}', branch.id + 1)),
      ` · ${className(branch, this.regularBits)} · `,
      t(
        'computes {0} of the stage’s output from {1} of the input',
        percent(area(branch.patch)),
        percent(area(branch.input)),
      ),
    );
    const outliers = this.outlierShare(branch.patch);
    if (outliers !== null)
      this.info.append(` · ${t('{0} of its values in this image are outliers', percent(outliers))}`);
    if (this.plan?.stage?.classMode !== 'static' || id !== this.context.store.ui.branch) return;
    this.info.append(
      h(
        'div',
        { class: 'patch-actions' },
        button(branch.class === 'outlier' ? t('Make regular') : t('Make outlier class'), 'secondary', () =>
          this.toggleClass(branch.id),
        ),
      ),
    );
  }

  /** The other class for a patch; where classes are decided at run time, the host says so. */
  private toggleClass(id: number): void {
    const branch = this.plan?.branches[id];
    if (branch !== undefined)
      this.context.edits.apply({
        kind: 'patchClass',
        branch: id,
        class: branch.class === 'outlier' ? 'regular' : 'outlier',
      });
  }

  private choose(id: number): void {
    this.context.store.update({ branch: id });
    this.cells[id]?.focus();
  }

  private onKey(event: KeyboardEvent): void {
    const stage = this.plan?.stage;
    if (stage == null) return;
    const at = this.context.store.ui.branch ?? 0;
    if (event.key === ' ' || event.key === 'Enter') {
      event.preventDefault();
      this.toggleClass(at);
      return;
    }
    const column = at % stage.cols;
    const next = {
      ArrowLeft: column > 0 ? at - 1 : at,
      ArrowRight: column < stage.cols - 1 ? at + 1 : at,
      ArrowUp: at - stage.cols,
      ArrowDown: at + stage.cols,
      Home: event.ctrlKey ? 0 : at - column,
      End: event.ctrlKey ? this.cells.length - 1 : at - column + stage.cols - 1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    if (next >= 0 && next < this.cells.length) this.choose(next);
  }
}

const className = (branch: BranchView, bits: string): string =>
  branch.class === 'outlier' ? t('outlier class, 8 bits') : t('regular, {0}', bits);

/** What the maps of regular branches have: "8 bits", or "8, 4 bits" where they are mixed. */
function regularBits({ model }: EditorView): string {
  const bits = model.layers.flatMap(({ plan }) => (plan?.inPatchStage === true ? [plan.bits] : []));
  return t('{0} bits', [...new Set(bits)].sort((a, b) => b - a).join(', '));
}

function legend(kind: BranchView['class'], label: string, count: number): HTMLElement {
  return h(
    'span',
    { class: 'legend' },
    h('span', { class: `legend-box patch-${kind}`, aria: { hidden: true } }, kind === 'outlier' ? '▲' : ''),
    `${plain(count, 0)} ${label}`,
  );
}

function place(element: HTMLElement, [y0, x0, y1, x1]: BranchView['patch']): void {
  element.style.left = `${x0 * 100}%`;
  element.style.top = `${y0 * 100}%`;
  element.style.width = `${(x1 - x0) * 100}%`;
  element.style.height = `${(y1 - y0) * 100}%`;
}

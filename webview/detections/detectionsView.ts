import { LEAST_SHOWN_SCORE, type BoxView, type DetectionsView as Found } from '../../src/protocol/detections';
import type { DetectionAccuracyView, EditorView } from '../../src/protocol/views';
import { CanvasSurface } from '../canvas';
import type { Context } from '../context';
import { fill, h, setAria, uniqueId } from '../dom';
import { percent, plain } from '../format';
import { t } from '../l10n';
import { iconButton, progressRing } from '../ui';
import { imageCanvas, paintBoxes, type DrawnBox } from './paint';
import { pairBoxes, type BoxPair } from './pairs';

/** Steps of the score slider. */
const STEPS = 95;
/** Rows of the list at most. */
const LISTED = 60;

/** Boxes of the float network and of the firmware side by side on sample images. */
export class DetectionsView {
  readonly element: HTMLElement;
  private readonly slider = h('input', { id: uniqueId('score') });
  private readonly score = h('output', { class: 'detections-score' });
  private readonly place = h('span', { class: 'detections-place' });
  private readonly summary = h('p', { class: 'detections-summary', role: 'status' });
  private readonly waiting = h('span', { class: 'detections-waiting' });
  private readonly sides = { float: this.side('float'), firmware: this.side('firmware') };
  private readonly list = h('div', { class: 'detections-list' });
  private readonly classes = h('div', { class: 'detections-classes' });
  private readonly body: HTMLElement;
  private readonly none = h('p', { class: 'muted' });
  private found: Found | null = null;
  private image: HTMLCanvasElement | null = null;
  private shown = false;
  /** What is shown is of an earlier plan. */
  private stale = true;
  private asked = 0;

  constructor(private readonly context: Context) {
    const { store, theme } = context;
    this.slider.type = 'range';
    this.slider.min = String(Math.round(100 * LEAST_SHOWN_SCORE));
    this.slider.max = String(STEPS);
    this.slider.step = '1';
    this.slider.addEventListener('input', () => store.update({ score: Number(this.slider.value) / 100 }));
    const label = h('label', { title: t('Boxes below this score are hidden') }, t('Score threshold'));
    label.htmlFor = this.slider.id;
    this.body = h(
      'div',
      { class: 'detections-body' },
      h(
        'div',
        { class: 'detections-images' },
        h('figure', {}, h('figcaption', {}, t('Float')), this.sides.float.canvas),
        h('figure', {}, h('figcaption', {}, t('Firmware')), this.sides.firmware.canvas),
      ),
      this.summary,
      h('div', { class: 'detections-tables' }, this.list, this.classes),
    );
    this.element = h(
      'div',
      { class: 'detections-view' },
      h(
        'div',
        { class: 'detections-bar' },
        iconButton('chevronUp', t('Previous image'), () => this.step(-1)),
        iconButton('chevronDown', t('Next image'), () => this.step(1)),
        this.place,
        this.waiting,
        h('span', { class: 'spacer' }),
        h('span', { class: 'detections-slider' }, label, this.slider, this.score),
      ),
      this.none,
      this.body,
    );
    this.body.hidden = true;
    theme.onChange(() => this.repaint());
    store.onChange((changed) => {
      if (changed.has('image')) void this.fetch();
      if (changed.has('score')) this.draw();
    });
  }

  render({ plan }: EditorView): void {
    if (plan?.head == null) return;
    this.stale = true;
    this.drawClasses(plan.figures.accuracy?.detection?.map50 ?? null);
    this.draw();
    if (this.shown) void this.fetch();
  }

  setShown(shown: boolean): void {
    this.shown = shown;
    if (shown && this.stale) void this.fetch();
  }

  private step(by: number): void {
    const count = this.found?.count ?? 1;
    this.context.store.update({ image: (this.context.store.ui.image + by + count) % count });
  }

  /** Asks for the image's boxes under the plan as it is now; a later question makes an earlier answer nothing. */
  private async fetch(): Promise<void> {
    if (!this.shown) return;
    const asked = ++this.asked;
    this.stale = false;
    fill(this.waiting, progressRing(t('Finding boxes')));
    let found: Found | null = null;
    let problem = '';
    try {
      found = await this.context.host.detections(this.context.store.ui.image);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    if (asked !== this.asked) return;
    fill(this.waiting);
    this.found = found;
    this.image = found && imageCanvas(found);
    this.body.hidden = found === null;
    this.none.hidden = found !== null;
    this.none.textContent =
      problem !== ''
        ? problem
        : t('The calibration images of this plan are not on this machine, so there are no images to find boxes in.');
    this.draw();
  }

  /** The head's own score, until the slider is moved. */
  private get least(): number {
    const own = this.context.store.view?.plan?.head?.score ?? 0.3;
    return Math.max(LEAST_SHOWN_SCORE, this.context.store.ui.score ?? own);
  }

  private get pairs(): BoxPair[] {
    const above = (boxes: readonly BoxView[]): BoxView[] => boxes.filter((box) => box.score >= this.least);
    return this.found ? pairBoxes(above(this.found.float), above(this.found.firmware)) : [];
  }

  private draw(): void {
    const least = this.least;
    this.slider.value = String(Math.round(100 * least));
    this.score.textContent = plain(least, 2);
    setAria(this.slider, 'valuetext', plain(least, 2));
    if (this.found === null) return;
    const { index, count, name, width, height, known } = this.found;
    this.place.textContent = t('{0} · {1} of {2}', name, index + 1, count);
    const pairs = this.pairs;
    const both = pairs.filter(({ float, firmware }) => float !== null && firmware !== null);
    const mean = both.reduce((sum, { overlap }) => sum + overlap, 0) / Math.max(1, both.length);
    this.summary.textContent =
      pairs.length === 0
        ? t('Neither finds anything above this score.')
        : t(
            '{0} boxes found by both, overlapping by {1} on average; {2} by float alone, {3} by the firmware alone.',
            both.length,
            percent(mean),
            pairs.filter(({ firmware }) => firmware === null).length,
            pairs.filter(({ float }) => float === null).length,
          ) + (known === null ? '' : ` ${t('The {0} known boxes are dotted.', known.length)}`);
    for (const which of ['float', 'firmware'] as const) {
      const { canvas } = this.sides[which];
      canvas.style.aspectRatio = `${width} / ${height}`;
      const found = pairs.flatMap((pair) => (pair[which] === null ? [] : [this.boxText(pair[which])]));
      setAria(
        canvas,
        'label',
        found.length === 0 ? t('{0}: no boxes', sideName(which)) : `${sideName(which)}: ${found.join(', ')}`,
      );
    }
    this.drawList(pairs);
    this.repaint();
  }

  private repaint(): void {
    this.sides.float.invalidate();
    this.sides.firmware.invalidate();
  }

  private side(which: 'float' | 'firmware'): CanvasSurface {
    const surface = new CanvasSurface((ctx, width, height) => {
      if (this.image === null || this.found === null) return;
      ctx.drawImage(this.image, 0, 0, width, height);
      const boxes = this.pairs.flatMap((pair): DrawnBox[] => {
        const box = pair[which];
        const lone = pair.float === null || pair.firmware === null;
        return box === null ? [] : [{ box, text: this.boxText(box), kind: lone ? 'lone' : 'paired' }];
      });
      const known = (this.found.known ?? []).map((box): DrawnBox => ({ box, text: '', kind: 'known' }));
      paintBoxes(ctx, { width, height }, [...boxes, ...known], this.context.theme.colors);
    });
    surface.canvas.setAttribute('role', 'img');
    surface.canvas.classList.add('detections-image');
    return surface;
  }

  private boxText({ label, score }: BoxView): string {
    return `${this.labelText(label)} ${plain(score, 2)}`;
  }

  private labelText(label: number): string {
    return this.context.store.view?.plan?.head?.labels[label] ?? String(label);
  }

  private drawList(pairs: readonly BoxPair[]): void {
    const score = (box: BoxView | null): string => (box === null ? '–' : plain(box.score, 2));
    fill(
      this.list,
      h('h2', {}, t('Boxes')),
      table(
        [t('Class'), t('Float'), t('Firmware'), t('Overlap')],
        pairs
          .slice(0, LISTED)
          .map(({ float, firmware, overlap }) => [
            this.labelText((float ?? firmware)!.label),
            score(float),
            score(firmware),
            overlap > 0 ? percent(overlap) : '–',
          ]),
        (row) => (pairs[row].float === null || pairs[row].firmware === null ? 'lone' : ''),
      ),
    );
  }

  private drawClasses(map50: DetectionAccuracyView['map50']): void {
    if (map50 === null) {
      fill(this.classes);
      return;
    }
    fill(
      this.classes,
      h('h2', {}, t('Average precision by class')),
      table(
        [t('Class'), t('Float'), t('Firmware'), t('Objects')],
        [
          ...map50.classes.map((c) => [c.label, percent(c.float), percent(c.quantized), plain(c.objects, 0)]),
          [t('mAP@0.5'), percent(map50.float), percent(map50.quantized), plain(map50.objects, 0)],
        ],
        (row) => (row === map50.classes.length ? 'total' : ''),
      ),
    );
  }
}

const sideName = (which: 'float' | 'firmware'): string => (which === 'float' ? t('Float') : t('Firmware'));

function table(head: string[], rows: string[][], rowClass: (row: number) => string): HTMLElement {
  return h(
    'table',
    {},
    h('thead', {}, h('tr', {}, ...head.map((text) => h('th', {}, text)))),
    h(
      'tbody',
      {},
      ...rows.map((cells, row) => h('tr', { class: rowClass(row) }, ...cells.map((text) => h('td', {}, text)))),
    ),
  );
}

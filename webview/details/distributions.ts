import type { LayerDetailsView } from '../../src/protocol/details';
import type { LayerView } from '../../src/protocol/views';
import type { Context } from '../context';
import { fill, h, setAria, uniqueId } from '../dom';
import { t } from '../l10n';
import { distributionPicture, pictures } from './distribution';

/** Dragging the slider asks for many channels; only where it rests counts. */
const settleMs = 60;

/** Distributions of the selected layer, fetched when it is selected; a slider walks over the channels of its output. */
export class Distributions {
  readonly element = h('section', { class: 'distributions-section' });
  private readonly body = h('div', {});
  private readonly slider = h('input', { class: 'channel-slider', id: uniqueId('channel') });
  private readonly value = h('output', { class: 'channel-value' });
  private readonly line: HTMLElement;
  private layer: LayerView | null = null;
  private asked = 0;
  private timer = 0;

  constructor(private readonly context: Context) {
    this.slider.type = 'range';
    this.slider.min = '0';
    this.slider.step = '1';
    const label = h('label', {}, t('Channel'));
    label.htmlFor = this.slider.id;
    this.slider.addEventListener('input', () => {
      this.write();
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.fetch(), settleMs);
    });
    this.line = h('div', { class: 'phi-line' }, label, this.slider, this.value);
    fill(this.element, this.line, this.body);
  }

  /**
   * Shows a layer of the plan; the same one after a change keeps its channel, and its pictures until the new ones are
   * there.
   */
  show(layer: LayerView): void {
    const same = this.layer?.id === layer.id;
    this.layer = layer;
    const channels = layer.output?.c ?? 1;
    this.slider.max = String(channels);
    if (!same) {
      this.slider.value = '0';
      fill(this.body);
    }
    this.line.hidden = channels < 2;
    this.write();
    void this.fetch();
  }

  private channel(): number | null {
    return this.slider.value === '0' ? null : Number(this.slider.value) - 1;
  }

  private write(): void {
    const channel = this.channel();
    const text = channel === null ? t('all') : t('{0} of {1}', channel, this.slider.max);
    this.value.textContent = text;
    setAria(this.slider, 'valuetext', text);
  }

  private async fetch(): Promise<void> {
    const { layer } = this;
    if (layer === null) return;
    const asked = ++this.asked;
    const details = await this.context.host.layerDetails(layer.id, this.channel()).catch(() => null);
    if (asked === this.asked) this.draw(details ?? null);
  }

  private draw(details: LayerDetailsView | null): void {
    this.element.hidden = details === null;
    if (details === null) return;
    const { weights, activations, reference } = details;
    fill(
      this.body,
      pictures(
        [
          weights && distributionPicture(t('Weights'), weights),
          activations && distributionPicture(t('Output'), activations),
          reference &&
            details.channel === null &&
            distributionPicture(t('Before the activation: decides the patch classes'), reference),
        ],
        t('The calibration is not cached on this machine: there are no statistics to draw.'),
      ),
    );
  }
}

import type { PlanView } from '../../src/protocol/views';
import type { Edits } from '../edits';
import { h, setAria, uniqueId } from '../dom';
import { t } from '../l10n';

/** Steps of the slider: dense towards 1, where φ matters. */
const steps: readonly number[] = [
  0.5, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.97, 0.98, 0.985, 0.99, 0.993, 0.995, 0.997, 0.998, 0.999, 0.9995,
  0.9999, 0.99999,
];

/**
 * φ of the value-driven patch classification. Letting go of the slider classifies the patches again from the
 * calibration.
 */
export class PhiSlider {
  readonly element: HTMLElement;
  private readonly slider = h('input', { class: 'phi-slider', id: uniqueId('phi') });
  private readonly value = h('output', { class: 'phi-value' });

  constructor(edits: Edits) {
    this.slider.type = 'range';
    this.slider.min = '0';
    this.slider.max = String(steps.length - 1);
    this.slider.step = '1';
    const label = h(
      'label',
      {
        title: t(
          'Share of the fitted Gaussian’s mass that counts as non-outlier. Larger: fewer patches in the outlier class.',
        ),
      },
      t('φ of the patch classes'),
    );
    label.htmlFor = this.slider.id;
    this.slider.addEventListener('input', () => this.write(steps[Number(this.slider.value)]));
    this.slider.addEventListener('change', () => edits.apply({ kind: 'phi', phi: steps[Number(this.slider.value)] }));
    this.element = h('div', { class: 'phi-line' }, label, this.slider, this.value);
  }

  render({ stage, search }: PlanView): void {
    // At run time the limits are part of the firmware: another φ means quantizing again.
    this.element.hidden = stage?.classMode !== 'static';
    const nearest = steps.reduce(
      (best, step, index) => (Math.abs(step - search.phi) < Math.abs(steps[best] - search.phi) ? index : best),
      0,
    );
    this.slider.value = String(nearest);
    this.write(search.phi);
  }

  private write(phi: number): void {
    this.value.textContent = String(phi);
    setAria(this.slider, 'valuetext', String(phi));
  }
}

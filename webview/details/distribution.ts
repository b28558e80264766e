/**
 * Pictures of distributions: bars of the values with the fitted Gaussian, limits of outliers and the values that codes
 * stand for; below, how often each code occurs.
 */
import type { CodesView, DistributionView } from '../../src/protocol/details';
import { h, svg, type Child } from '../dom';
import { percent, plain } from '../format';
import { t } from '../l10n';

const width = 280;
const height = 92;
const base = 70;

export function distributionPicture(title: string, view: DistributionView): HTMLElement {
  const { codes } = view;
  return h(
    'div',
    { class: 'distribution' },
    h('h3', {}, title),
    valuesPicture(title, view),
    h('p', { class: 'distribution-facts muted' }, facts(view)),
    codes && codesPicture(codes),
    codes && h('p', { class: 'distribution-facts muted' }, codesFacts(codes)),
  );
}

function facts({ mean, sigma, min, max, zeros, band }: DistributionView): string {
  const parts = [t('μ {0}, σ {1}, {2} … {3}', value(mean), value(sigma), value(min), value(max))];
  if (zeros > 0.0005) parts.push(t('{0} exactly 0', percent(zeros)));
  if (band !== null)
    parts.push(t('outliers for φ = {0} outside {1} … {2}', String(band.phi), value(band.low), value(band.high)));
  return parts.join(' · ');
}

function codesFacts({ bits, shares, entropy, scale }: CodesView): string {
  const used = shares.filter((share) => share > 0).length;
  return [
    t('{0} bits: {1} of {2} codes used, entropy {3} bits', bits, used, shares.length, plain(entropy, 2)),
    scale === null ? t('scales differ between channels') : t('step {0}', value(scale.step)),
  ].join(' · ');
}

function valuesPicture(
  title: string,
  { low, width: bar, shares, mean, sigma, band, codes, zeros }: DistributionView,
): SVGSVGElement {
  const high = low + bar * shares.length;
  const x = (at: number): number => ((at - low) / (high - low)) * width;
  const gaussian = (at: number): number =>
    (bar / (sigma * Math.sqrt(2 * Math.PI))) * Math.exp(-0.5 * ((at - mean) / sigma) ** 2);
  const tops = [...shares].sort((a, b) => b - a);
  // One spike must not flatten the rest: bars beyond the scale are cut.
  const top = Math.max(Math.min(tops[0] ?? 1, 3 * (tops[3] ?? 1)), Math.min(gaussian(mean), tops[0] ?? 1), 1e-9) * 1.06;
  const y = (share: number): number => base - Math.min(1, share / top) * (base - 6);
  const marks: SVGElement[] = shares.map((share, k) => {
    const inside = band === null || (low + (k + 0.5) * bar >= band.low && low + (k + 0.5) * bar <= band.high);
    return svg('rect', {
      class: inside ? 'dist-bar' : 'dist-bar dist-outlier',
      x: x(low + k * bar) + 0.3,
      width: Math.max(0.4, width / shares.length - 0.6),
      y: y(share),
      height: base - y(share),
    });
  });
  const curve = Array.from({ length: 121 }, (_, i) => low + ((high - low) * i) / 120).map(
    (at) => `${x(at).toFixed(1)},${y(gaussian(at)).toFixed(1)}`,
  );
  marks.push(svg('polyline', { class: 'dist-curve', points: curve.join(' ') }));
  for (const limit of band === null ? [] : [band.low, band.high])
    if (limit > low && limit < high)
      marks.push(svg('line', { class: 'dist-limit', x1: x(limit), x2: x(limit), y1: 2, y2: base }));
  if (zeros > 0.0005 && low <= 0 && high >= 0)
    marks.push(svg('line', { class: 'dist-zero', x1: x(0), x2: x(0), y1: 2, y2: base }));
  marks.push(svg('line', { class: 'dist-axis', x1: 0, x2: width, y1: base + 0.5, y2: base + 0.5 }));
  if (codes?.scale != null) {
    const { zero, step } = codes.scale;
    // More ticks than pixels say nothing but that they are many.
    const every = Math.max(1, Math.ceil((3 * (high - low)) / width / step));
    for (let k = 0; k < codes.shares.length; k += every) {
      const at = zero + (codes.first + k) * step;
      if (at >= low && at <= high)
        marks.push(svg('line', { class: 'dist-code', x1: x(at), x2: x(at), y1: base + 1, y2: base + 6 }));
    }
  }
  for (const [at, anchor] of [
    [low, 'start'],
    [high, 'end'],
  ] as const) {
    const label = svg('text', { class: 'dist-label', x: x(at), y: height - 6, 'text-anchor': anchor });
    label.textContent = value(at);
    marks.push(label);
  }
  return picture(height, t('{0}: mean {1}, standard deviation {2}', title, value(mean), value(sigma)), marks);
}

function picture(high: number, label: string, marks: readonly SVGElement[]): SVGSVGElement {
  const viewBox = `0 0 ${width} ${high}`;
  return svg('svg', { class: 'dist-picture', viewBox, role: 'img', 'aria-label': label }, ...marks);
}

function codesPicture({ bits, first, shares, entropy }: CodesView): SVGSVGElement {
  const codeHeight = 46;
  const top = Math.max(...shares, 1e-9);
  const step = width / shares.length;
  const bars: SVGElement[] = shares.map((share, k) =>
    svg('rect', {
      class: `dist-code-bar bits-${bits}`,
      x: k * step + (step > 4 ? 1 : 0),
      width: Math.max(0.5, step - (step > 4 ? 2 : 0.1)),
      y: codeHeight - 14 - (share / top) * (codeHeight - 18),
      height: (share / top) * (codeHeight - 18),
    }),
  );
  shares.forEach((_, k) => {
    if (shares.length > 16 && k !== 0 && k !== shares.length - 1 && first + k !== 0) return;
    const label = svg('text', {
      class: 'dist-label',
      x: Math.max(8, Math.min(width - 10, (k + 0.5) * step)),
      y: codeHeight - 3,
      'text-anchor': 'middle',
    });
    label.textContent = String(first + k).replace('-', '−');
    bars.push(label);
  });
  return picture(codeHeight, t('Codes of {0} bits, entropy {1} bits', bits, plain(entropy, 2)), bars);
}

/** Three significant digits, very small and very large ones as powers of ten. */
function value(number: number): string {
  const size = Math.abs(number);
  if (size === 0) return '0';
  if (size < 1e-3 || size >= 1e5) return number.toExponential(1).replace('-', '−').replace('e+', 'e');
  return plain(number, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3).replace('-', '−');
}

/** Several pictures one below the other, or why there are none. */
export function pictures(children: readonly Child[], otherwise: string): HTMLElement {
  return h(
    'div',
    { class: 'distributions' },
    ...(children.some((child) => child instanceof Node) ? children : [h('p', { class: 'muted' }, otherwise)]),
  );
}

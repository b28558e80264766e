// Plots as SVG, in one style: bars, lines and a distribution.

const HEAD = 'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>';
const COLORS = ['#4a7ebb', '#c0504d', '#7f9f3f', '#8064a2', '#e08e2b', '#3f9f9f'];

/** @param {number} width @param {number} height @param {string} content */
const svg = (width, height, content) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${HEAD}${content}</svg>\n`;

/** @param {number} x @param {number} y @param {string} content @param {'start' | 'middle' | 'end'} [anchor] */
const text = (x, y, content, anchor = 'start') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">` +
  `${content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;

/**
 * Bars below each other, in groups with a heading.
 * @typedef {{name: string, value: number, error?: number, note?: string}} Bar
 * @param {string} title @param {{heading: string, bars: Bar[]}[]} groups @param {string} unit
 */
export function barsOf(title, groups, unit) {
  const most = Math.max(...groups.flatMap((g) => g.bars.map((b) => b.value + (b.error ?? 0))));
  let y = 26;
  const parts = [text(10, 18, title)];
  for (const { heading, bars } of groups) {
    parts.push(text(10, (y += 18), heading));
    y += 6;
    for (const [i, { name, value, error, note }] of bars.entries()) {
      const width = (300 * value) / most;
      parts.push(text(230, y + 14, name, 'end'));
      parts.push(
        `<rect x="240" y="${y}" width="${width.toFixed(1)}" height="18" fill="${COLORS[i % COLORS.length]}"/>`,
      );
      const half = error === undefined ? 0 : (300 * error) / most;
      if (half > 0)
        parts.push(`<path d="M${(240 + width - half).toFixed(1)} ${y + 9}h${(2 * half).toFixed(1)}" stroke="#000"/>`);
      const shown = error === undefined ? value.toPrecision(3) : `${value.toFixed(1)} ± ${error.toFixed(1)}`;
      parts.push(text(248 + width + half, y + 14, `${shown} ${unit}${note ? `, ${note}` : ''}`));
      y += 22;
    }
  }
  return svg(760, y + 10, parts.join(''));
}

/**
 * Lines over the same values, which stand at equal distances.
 * @param {string} title @param {string[]} labels @param {{name: string, values: (number | null)[]}[]} series
 * @param {string} unit
 */
export function linesOf(title, labels, series, unit) {
  const all = series.flatMap((s) => s.values.filter((v) => v !== null));
  const [low, high] = [Math.floor(Math.min(...all) - 1), Math.ceil(Math.max(...all) + 1)];
  const [left, top, width, height] = [60, 40, 420, 220];
  const x = (/** @type {number} */ i) => left + (labels.length < 2 ? 0 : (i * width) / (labels.length - 1));
  const y = (/** @type {number} */ v) => top + height - ((v - low) * height) / (high - low);
  const parts = [text(10, 18, title), `<path d="M${left} ${top}v${height}h${width}" fill="none" stroke="#000"/>`];
  for (const v of [low, (low + high) / 2, high]) parts.push(text(left - 6, y(v) + 4, `${v} ${unit}`, 'end'));
  labels.forEach((label, i) => parts.push(text(x(i), top + height + 18, label, 'middle')));
  series.forEach(({ name, values }, s) => {
    const color = COLORS[s % COLORS.length];
    const points = values.flatMap((v, i) => (v === null ? [] : [`${x(i).toFixed(1)},${y(v).toFixed(1)}`]));
    parts.push(`<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`);
    for (const [cx, cy] of points.map((p) => p.split(',')))
      parts.push(`<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"/>`);
    parts.push(`<rect x="${left + width + 20}" y="${top + s * 20}" width="12" height="12" fill="${color}"/>`);
    parts.push(text(left + width + 38, top + s * 20 + 11, name));
  });
  return svg(760, top + height + 34, parts.join(''));
}

/**
 * Shares of bins on a logarithmic axis, with the normal distribution of the same mean and deviation and bands.
 * @param {string} title
 * @param {{zRange: number, shares: readonly number[]}} distribution
 * @param {{name: string, z: number}[]} bands half widths in standard deviations
 */
export function distributionPlot(title, { zRange, shares }, bands) {
  const [left, top, width, height] = [60, 40, 520, 220];
  const [least, most] = [-7, 0];
  const x = (/** @type {number} */ z) => left + ((z + zRange) * width) / (2 * zRange);
  const y = (/** @type {number} */ share) =>
    top + height - ((Math.max(least, Math.log10(Math.max(share, 1e-12))) - least) * height) / (most - least);
  const step = (2 * zRange) / shares.length;
  const center = (/** @type {number} */ i) => -zRange + (i + 0.5) * step;
  const path = (/** @type {(i: number) => number} */ of) =>
    shares.map((_, i) => `${x(center(i)).toFixed(1)},${y(of(i)).toFixed(1)}`).join(' ');
  const normal = (/** @type {number} */ i) => (step * Math.exp(-0.5 * center(i) ** 2)) / Math.sqrt(2 * Math.PI);
  const parts = [text(10, 18, title), `<path d="M${left} ${top}v${height}h${width}" fill="none" stroke="#000"/>`];
  for (let e = least; e <= most; e += 2) parts.push(text(left - 6, y(10 ** e) + 4, `1e${e}`, 'end'));
  for (let z = -Math.floor(zRange); z <= zRange; z += 4) parts.push(text(x(z), top + height + 18, `${z}σ`, 'middle'));
  parts.push(`<polyline points="${path((i) => shares[i])}" fill="none" stroke="${COLORS[0]}" stroke-width="2"/>`);
  parts.push(`<polyline points="${path(normal)}" fill="none" stroke="#888" stroke-dasharray="4 3"/>`);
  bands.forEach(({ name, z }, i) => {
    const color = COLORS[(i + 1) % COLORS.length];
    for (const side of [-z, z])
      parts.push(`<path d="M${x(side).toFixed(1)} ${top}v${height}" stroke="${color}" stroke-dasharray="2 2"/>`);
    parts.push(`<rect x="${left + width + 20}" y="${top + i * 20}" width="12" height="12" fill="${color}"/>`);
    parts.push(text(left + width + 38, top + i * 20 + 11, name));
  });
  return svg(760, top + height + 34, parts.join(''));
}

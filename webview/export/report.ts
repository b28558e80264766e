/**
 * One HTML file with everything about a plan: figures, settings, patches, memory, graph and layers. No scripts, nothing
 * to load; made for reading and for paper.
 */
import type { EditorView, LayerView, PlanView } from '../../src/protocol/views';
import { boardText } from '../boardText';
import { bytesText, countText, millisecondsText, percent, plain, shapeText, text } from '../format';
import { figuresOf } from '../header/figures';
import { modelTitle, stagesText } from '../header/headerView';
import { kindText } from '../layers/layerText';
import { t } from '../l10n';
import { style } from './reportStyle';
import { escapeXml as e } from './svgContext';

/** Drawings as SVG text; null where there is none. */
export interface ReportPictures {
  readonly graph: { readonly svg: string; readonly width: number; readonly height: number } | null;
  readonly memory: string | null;
  readonly tradeOff: string | null;
}

/**
 * Height of the strips that the graph is cut into, in its own units: they stand side by side, and none is torn by the
 * end of a page.
 */
const STRIP = 840;

export function reportHtml(view: EditorView, pictures: ReportPictures): string {
  const { model, plan } = view;
  const title = modelTitle(model);
  const made = [
    t('Made by QuantMCU on {0}', new Date().toISOString().slice(0, 10)),
    model.file.split(/[\\/]/).pop() ?? '',
    bytesText(model.fileBytes),
  ].join(' · ');
  return `<!DOCTYPE html>
<html lang="${e(document.documentElement.lang || 'en')}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${e(title)} · QuantMCU</title><style>${style}</style></head><body>
<h1>${e(title)}</h1><p class="sub">${e(subtitle(view))}</p>
<div class="figures">${figuresOf(view).map(figureHtml).join('')}</div>
${plan === null ? '' : settings(plan)}
${plan === null ? '' : patches(plan)}
${pictures.memory === null ? '' : `<h2>${e(t('Memory'))}</h2><figure>${pictures.memory}</figure>`}
${pictures.tradeOff === null ? '' : `<h2>${e(t('Trade-off'))}</h2><figure>${pictures.tradeOff}</figure>`}
<h2>${e(t('Layers'))}</h2>${layers(view)}
${pictures.graph === null ? '' : `<h2>${e(t('Graph'))}</h2>${graph(pictures.graph)}`}
<footer>${e(made)}</footer>
</body></html>
`;
}

function figureHtml(figure: ReturnType<typeof figuresOf>[number]): string {
  const about = figure.change ? `${figure.change.text} ${figure.change.caption}` : (figure.caption ?? '');
  const spans = [figure.label, text(figure.value), figure.limit ?? '', about].map(e);
  const [label, value, limit, change] = spans;
  return `<div class="figure"><span>${label}</span><b>${value}</b><span>${limit}</span><span>${change}</span></div>`;
}

function subtitle({ model, plan }: EditorView): string {
  const io = `${model.inputs
    .slice(0, 4)
    .map(({ shape }) => shape)
    .join(', ')} → ${model.outputs
    .slice(0, 4)
    .map(({ shape }) => shape)
    .join(', ')}`;
  return plan === null ? io : `${boardText(plan.target)} · ${io}`;
}

function settings(plan: PlanView): string {
  const { target, stage, search, figures } = plan;
  const rows: [string, string][] = [
    [
      t('Board'),
      `${boardText(target)}, ${bytesText(target.sramBytes)} SRAM, ${bytesText(target.flashBytes)} ` +
        `flash${target.clockMHz > 0 ? `, ${target.clockMHz} MHz` : ''}`,
    ],
    [
      t('Patches'),
      stagesText(plan) +
        (stage === null ? '' : `, ${t('{0} of MACs recomputed', percent(stage.redundantMacsPercent / 100))}`),
    ],
    [
      t('Search'),
      `${search.method}, φ ${search.phi}, ${search.method === 'entropy' ? `λ ${search.lambda}, ` : ''}` +
        `${t('calibrated on {0} images', plain(search.images, 0))}`,
    ],
    [
      t('8 bits, layer by layer'),
      [
        bytesText(figures.int8Layerwise.arenaBytes),
        bytesText(figures.int8Layerwise.flashBytes),
        countText(figures.int8Layerwise.bitOps, 'BitOPs'),
        ...(figures.int8Layerwise.latencyMs === null ? [] : [millisecondsText(figures.int8Layerwise.latencyMs)]),
      ].join(' · '),
    ],
  ];
  return (
    `<h2>${e(t('Plan'))}</h2><dl ` +
    `class="settings">${rows.map(([name, value]) => `<dt>${e(name)}</dt><dd>${e(value)}</dd>`).join('')}</dl>`
  );
}

function patches({ stage, branches }: PlanView): string {
  if (stage === null) return '';
  const rows = Array.from({ length: stage.rows }, (_, row) => branches.filter((branch) => branch.row === row));
  const outliers = branches.filter((branch) => branch.class === 'outlier').length;
  const cell = ({ id, class: kind }: (typeof branches)[number]): string =>
    `<td class="${kind}">${id + 1}${kind === 'outlier' ? ' ▲' : ''}</td>`;
  const told = t('{0} of {1} patches belong to the outlier class (▲) and stay at 8 bits.', outliers, branches.length);
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('');
  return `<h2>${e(t('Patches'))}</h2><p>${e(told)}</p><table class="patches"><tbody>${body}</tbody></table>`;
}

function layers({ model }: EditorView): string {
  const planned = model.layers.some((layer) => layer.plan !== null);
  const timed = model.layers.some((layer) => layer.plan?.latencyMs != null);
  const head = [
    '#',
    t('Layer'),
    t('Operation'),
    t('Output'),
    ...(planned
      ? [t('In'), t('W'), t('Out'), t('MACs'), t('BitOPs'), t('Map'), t('Weights'), ...(timed ? [t('Time')] : [])]
      : [t('MACs'), t('Parameters')]),
  ];
  const row = (layer: LayerView): string => {
    const { plan } = layer;
    const number = (value: string): string => `<td class="n">${e(value)}</td>`;
    const bits = (value: number | null): string =>
      value === null ? '<td class="bits">–</td>' : `<td class="bits b${value}">${value}</td>`;
    const values =
      plan === null
        ? number(layer.macs === 0 ? '–' : countText(layer.macs)) +
          number(layer.parameters === 0 ? '–' : countText(layer.parameters))
        : bits(plan.inputBits) +
          bits(plan.weightBits) +
          bits(plan.bits) +
          number(plan.macs === 0 ? '–' : countText(plan.macs)) +
          number(plan.bitOps === 0 ? '–' : countText(plan.bitOps)) +
          number(bytesText(plan.mapBytes)) +
          number(plan.weightBytes === 0 ? '–' : bytesText(plan.weightBytes)) +
          (timed ? number(plan.latencyMs === null ? '–' : millisecondsText(plan.latencyMs)) : '');
    const operation = `${kindText(layer.kind)} ${layer.detail}`;
    const named = `${number(String(layer.id))}<td class="name">${e(layer.name)}</td><td>${e(operation)}</td>`;
    return `<tr>${named}${number(shapeText(layer.output))}${values}</tr>`;
  };
  const heading = head.map((name, i) => `<th${i === 0 || i > 2 ? ' class="n"' : ''}>${e(name)}</th>`).join('');
  const body = model.layers.map(row).join('\n');
  return `<table><thead><tr>${heading}</tr></thead><tbody>${body}</tbody></table>`;
}

/** The drawing once, shown in strips of equal height. */
function graph({ svg, width, height }: NonNullable<ReportPictures['graph']>): string {
  if (height <= STRIP * 1.2) return `<figure>${svg}</figure>`;
  const inner = svg.replace(/^<svg[^>]*>/, '').replace(/<\/svg>$/, '');
  const strips = Array.from({ length: Math.ceil(height / STRIP) }, (_, i) => Math.min(STRIP, height - i * STRIP)).map(
    (part, i) =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.round(width * 0.75)}" ` +
      `height="${Math.round(part * 0.75)}" viewBox="0 ${i * STRIP} ${width} ${part}"><use href="#graph"/></svg>`,
  );
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"><defs><g ' +
    `id="graph">${inner}</g></defs></svg><div class="strips">${strips.join('\n')}</div>`
  );
}

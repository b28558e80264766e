/** What can be taken out of the page as a file: drawings as SVG and PNG, tables as CSV, and a report. */
import type { EditorView } from '../../src/protocol/views';
import type { CompareView } from '../compare/compareView';
import type { Context } from '../context';
import type { GraphView } from '../graph/graphView';
import { modelTitle } from '../header/headerView';
import { t } from '../l10n';
import type { MemoryView } from '../memory/memoryView';
import type { MenuChoice } from '../menu';
import { paperColors, type Colors } from '../theme';
import type { TradeOffView } from '../tradeOff/tradeOffView';
import { comparisonCsv, layersCsv, memoryCsv, pointsCsv } from './csv';
import { rasterize, standalone, toPng, toSvg, type Picture } from './pictures';
import { reportHtml } from './report';

export interface ExportSources {
  readonly graph: GraphView;
  readonly memory: MemoryView;
  readonly tradeOff: TradeOffView;
  readonly compare: CompareView;
}

export class Exporter {
  constructor(
    private readonly context: Context,
    private readonly sources: ExportSources,
  ) {}

  choices(view: EditorView): MenuChoice[] {
    const { graph, memory, tradeOff, compare } = this.sources;
    const { colors } = this.context.theme;
    const name = modelTitle(view.model);
    const choice = (
      label: string,
      file: string,
      make: () => Promise<string | Uint8Array> | string | Uint8Array,
    ): MenuChoice => ({ label, chosen: false, run: () => this.save(file, make) });
    const plot = tradeOff.drawing;
    const drawn = (label: string, file: string, picture: () => Promise<Picture> | Picture): MenuChoice[] => [
      choice(t('{0} as SVG', label), `${name}-${file}.svg`, async () => toSvg(await picture(), colors)),
      choice(t('{0} as PNG', label), `${name}-${file}.png`, async () => toPng(await picture(), colors)),
    ];
    return [
      choice(t('Report as HTML'), `${name}-report.html`, () => this.report(view)),
      ...drawn(t('Graph'), 'graph', () => graph.picture()),
      ...(view.plan === null ? [] : drawn(t('Memory'), 'memory', () => memory.picture())),
      ...(plot === null
        ? []
        : [
            choice(t('{0} as SVG', t('Trade-off')), `${name}-${plot.name}.svg`, () => standalone(plot.svg, colors)),
            choice(t('{0} as PNG', t('Trade-off')), `${name}-${plot.name}.png`, () => {
              const { width, height } = plot.svg.viewBox.baseVal;
              return rasterize(standalone(plot.svg, colors), width, height, colors.background);
            }),
          ]),
      choice(t('Layers as CSV'), `${name}-layers.csv`, () => layersCsv(view)),
      ...(view.plan === null ? [] : [choice(t('Memory as CSV'), `${name}-memory.csv`, () => memoryCsv(view))]),
      ...(tradeOff.table.length === 0
        ? []
        : [choice(t('Points as CSV'), `${name}-points.csv`, () => pointsCsv(tradeOff.table))]),
      ...(compare.isOpen
        ? [choice(t('Comparison as CSV'), `${name}-comparison.csv`, () => comparisonCsv(compare.table))]
        : []),
    ];
  }

  private async report(view: EditorView): Promise<string> {
    const colors: Colors = { ...paperColors, fontFamily: this.context.theme.colors.fontFamily };
    const graph = await this.sources.graph.picture('down');
    const plot = this.sources.tradeOff.drawing;
    return reportHtml(view, {
      graph: { svg: toSvg(graph, colors), width: graph.width, height: graph.height },
      memory: view.plan === null ? null : toSvg(this.sources.memory.picture(), colors),
      tradeOff: plot === null ? null : standalone(plot.svg, this.context.theme.colors),
    });
  }

  private save(name: string, make: () => Promise<string | Uint8Array> | string | Uint8Array): void {
    const { edits, host } = this.context;
    edits.run(async () => {
      if (await host.saveFile({ name, data: await make() })) this.context.announce(t('Exported.'));
    });
  }
}

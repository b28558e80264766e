/** What the nodes' colours tell: their bits, or where a figure is large. */
import type { EditorView, LayerView } from '../../src/protocol/views';
import { bytesText, countText, millisecondsText, plain } from '../format';
import { t } from '../l10n';
import { bitsColor, type Colors } from '../theme';

export const COLORINGS = ['bits', 'time', 'counted', 'sram', 'sensitivity', 'snr', 'macs'] as const;
export type ColorBy = (typeof COLORINGS)[number];

export function coloringText(by: ColorBy): string {
  return {
    bits: t('Bits'),
    time: t('Time'),
    counted: t('Counted instructions'),
    sram: t('SRAM'),
    sensitivity: t('Entropy lost at 4 bits'),
    snr: t('Noise (SNR)'),
    macs: t('MACs'),
  }[by];
}

/** A figure of every layer, null where there is none, and how it reads. */
export interface Coloring {
  readonly by: ColorBy;
  /** 0…1, 1 where one should look first; null without a figure. */
  heat(layer: LayerView): number | null;
  /** What the least and the most heat mean. */
  readonly range: readonly [string, string] | null;
}

/** @returns null where no layer has such a figure */
export function coloringOf(view: EditorView, by: ColorBy): Coloring | null {
  if (by === 'bits') return { by, heat: () => null, range: null };
  const value = valueOf(view, by);
  const known = view.model.layers.map(value).filter((v) => v !== null);
  if (known.length === 0) return null;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  // Little noise is a large ratio.
  const cold = by === 'snr' ? high : low;
  const hot = by === 'snr' ? low : high;
  return {
    by,
    heat: (layer) => {
      const v = value(layer);
      return v === null ? null : hot === cold ? 1 : (v - cold) / (hot - cold);
    },
    range: [figureText(by, cold), figureText(by, hot)],
  };
}

function valueOf({ model, plan }: EditorView, by: Exclude<ColorBy, 'bits'>): (layer: LayerView) => number | null {
  switch (by) {
    case 'time':
      return (layer) => layer.plan && (layer.plan.latencyMs ?? layer.plan.instructions);
    case 'counted':
      return (layer) => layer.plan?.counted ?? null;
    case 'sram': {
      const peaks = model.layers.map(() => 0);
      for (const { layer, peakBytes } of plan?.steps ?? []) peaks[layer] = Math.max(peaks[layer] ?? 0, peakBytes);
      return (layer) => (plan === null ? null : (peaks[layer.id] ?? null));
    }
    case 'sensitivity':
      return (layer) => layer.plan?.candidates.find(({ bits }) => bits === 4)?.omega ?? null;
    case 'snr':
      return (layer) => layer.plan?.snr ?? null;
    case 'macs':
      return (layer) => layer.plan?.macs ?? layer.macs;
  }
}

function figureText(by: Exclude<ColorBy, 'bits'>, value: number): string {
  switch (by) {
    case 'time':
      return millisecondsText(value);
    case 'sram':
      return bytesText(value);
    case 'sensitivity':
      return plain(value, 2);
    case 'snr':
      return `${plain(value, 1)} dB`;
    case 'counted':
    case 'macs':
      return countText(value);
  }
}

/** Bits of the output that all layers of a node have; null where they differ or there are none. */
export function commonBits(layers: readonly LayerView[]): number | null {
  const bits = layers[0].plan?.bits ?? null;
  return layers.every(({ plan }) => (plan?.bits ?? null) === bits) ? bits : null;
}

/** A node's colour and how strongly it is filled, 0…1. Folded layers show the one at which one should look first. */
export function nodeColor(
  layers: readonly LayerView[],
  coloring: Coloring,
  colors: Colors,
): { color: string; strength: number } {
  if (layers.some(({ problem }) => problem !== null)) return { color: colors.error, strength: 1 };
  if (coloring.by === 'bits') return { color: bitsColor(colors, commonBits(layers)), strength: 0.62 };
  const heats = layers.map((layer) => coloring.heat(layer)).filter((heat) => heat !== null);
  return heats.length === 0
    ? { color: colors.none, strength: 0.2 }
    : { color: colors.warning, strength: 0.08 + 2.2 * Math.sqrt(Math.max(...heats)) };
}

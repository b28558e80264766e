/** Tables as CSV (RFC 4180): comma, quotes where needed, CRLF. */
import type { EditorView } from '../../src/protocol/views';
import type { LayerPair } from '../compare/differences';
import type { TradeOffRow } from '../tradeOff/rows';

type Cell = string | number | boolean | null;

export function csv(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [head, ...rows].map((row) => row.map(cellText).join(',')).join('\r\n') + '\r\n';
}

function cellText(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  // Names come from models; a spreadsheet would run one that looks like a formula.
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function layersCsv({ model }: EditorView): string {
  return csv(
    [
      'layer',
      'name',
      'operators',
      'kind',
      'height',
      'width',
      'channels',
      'parameters',
      'part',
      'input_bits',
      'weight_bits',
      'output_bits',
      'locked',
      'macs',
      'bitops',
      'map_bytes',
      'weight_bytes',
      'latency_ms',
      'entropy_bits',
      'snr_db',
    ],
    model.layers.map(({ id, name, operators, kind, output, parameters, macs, plan }) => [
      id,
      name,
      operators,
      kind,
      output?.h ?? null,
      output?.w ?? null,
      output?.c ?? null,
      parameters,
      plan && (plan.inPatchStage ? 'patch stage' : 'tail'),
      plan?.inputBits ?? null,
      plan?.weightBits ?? null,
      plan?.bits ?? null,
      plan?.locked ?? null,
      plan?.macs ?? macs,
      plan?.bitOps ?? null,
      plan?.mapBytes ?? null,
      plan?.weightBytes ?? null,
      plan?.latencyMs ?? null,
      plan?.entropy ?? null,
      plan?.snr ?? null,
    ]),
  );
}

export function memoryCsv({ model, plan }: EditorView): string {
  return csv(
    ['buffer', 'name', 'role', 'layer', 'offset', 'bytes', 'first_step', 'last_step', 'bits'],
    (plan?.buffers ?? []).map(({ id, name, role, layer, offset, bytes, firstStep, lastStep, bits }) => [
      id,
      name,
      role,
      model.layers[layer]?.name ?? '',
      offset,
      bytes,
      firstStep,
      lastStep,
      bits,
    ]),
  );
}

export function pointsCsv(rows: readonly TradeOffRow[]): string {
  return csv(
    [
      'point',
      'accuracy',
      'accuracy_random',
      'outlier_share',
      'bitops',
      'macs',
      'latency_ms',
      'arena_bytes',
      'is_plan',
      'problem',
    ],
    rows.map((row) => [
      row.name,
      row.quality,
      row.random,
      row.outliers,
      row.bitOps,
      row.macs,
      row.latencyMs,
      row.arenaBytes,
      row.current,
      row.problem,
    ]),
  );
}

export function comparisonCsv(pairs: readonly LayerPair[]): string {
  return csv(
    [
      'layer',
      'name',
      'differs',
      'input_bits',
      'other_input_bits',
      'weight_bits',
      'other_weight_bits',
      'output_bits',
      'other_output_bits',
      'bitops',
      'other_bitops',
      'map_bytes',
      'other_map_bytes',
    ],
    pairs.map(({ layer, own, other, differs }) => [
      layer.id,
      layer.name,
      differs,
      own.inputBits,
      other.inputBits,
      own.weightBits,
      other.weightBits,
      own.bits,
      other.bits,
      own.bitOps,
      other.bitOps,
      own.mapBytes,
      other.mapBytes,
    ]),
  );
}

/** Which figures the header shows: facts of the model before a plan, the plan against its limits and against 8 bits after. */
import type { EditorView, ModelView, PlanView, PreviewView } from '../../src/protocol/views';
import { bytes, bytesText, count, countText, percent, plain, timesLess } from '../format';
import { t } from '../l10n';
import type { Figure } from './figure';

export function figuresOf(view: EditorView): Figure[] {
  return view.plan === null ? modelFigures(view.model) : planFigures(view.plan);
}

function modelFigures(model: ModelView): Figure[] {
  return [
    { label: t('Layers'), value: { number: plain(model.layers.length, 0), unit: '' }, description: t('Layers after folding') },
    { label: t('MACs'), value: count(model.macs), description: t('Multiply-accumulates of one inference') },
    { label: t('Parameters'), value: count(model.parameters), caption: t('{0} at 8 bits', bytesText(model.parameters)), description: t('Weights and biases') },
    { label: t('File'), value: bytes(model.fileBytes), caption: t('opset {0}', model.opset), description: model.producer },
  ];
}

function planFigures(plan: PlanView): Figure[] {
  const { figures, target } = plan;
  const arena = timesLess(figures.arenaBytes, figures.int8LayerwiseArenaBytes);
  const operations = timesLess(figures.bitOps, figures.bitOpsInt8);
  return [
    {
      label: t('SRAM peak'), value: bytes(figures.arenaBytes), limit: t('of {0}', bytesText(target.sramBytes)), fraction: figures.arenaBytes / target.sramBytes,
      change: arena === null ? undefined : { text: arena, caption: t('less than 8-bit layer by layer') },
      description: t('{0} bytes of arena; 8-bit layer by layer needs {1} bytes', plain(figures.arenaBytes, 0), plain(figures.int8LayerwiseArenaBytes, 0)),
    },
    {
      label: t('Flash'), value: bytes(figures.flashBytes), limit: t('of {0}', bytesText(target.flashBytes)), fraction: figures.flashBytes / target.flashBytes,
      caption: t('weights {0}', bytesText(figures.weightBytes)),
      description: t('{0} bytes of constants and code', plain(figures.flashBytes, 0)),
    },
    {
      label: t('BitOPs'), value: count(figures.bitOps), change: operations === null ? undefined : { text: operations, caption: t('fewer than at 8 bits') },
      description: t('Σ MACs × weight bits × input bits, halo recomputation included. All at 8 bits: {0}', countText(figures.bitOpsInt8)),
    },
    {
      label: t('MACs'), value: count(figures.macs),
      caption: plan.stage === null ? t('layer by layer') : t('{0} recomputed in halos', percent(plan.stage.redundantMacsPercent / 100)),
      description: t('Multiply-accumulates of one inference'),
    },
    accuracyFigure(plan),
  ].filter((figure): figure is Figure => figure !== null);
}

/** The plan's figures after a change: tables beside the weights stay about as they are; an accuracy is only of what was evaluated. */
export function previewedPlan(plan: PlanView, preview: PreviewView): PlanView {
  const { figures, stage } = plan;
  const more = preview.weightCodeBytes - figures.weightCodeBytes;
  const once = stage === null ? figures.macs : figures.macs / (1 + stage.redundantMacsPercent / 100);
  return {
    ...plan,
    stage: stage && { ...stage, redundantMacsPercent: 100 * (preview.macs / once - 1) },
    figures: {
      ...figures, arenaBytes: preview.arenaBytes, macs: preview.macs, bitOps: preview.bitOps, bitOpsInt8: preview.bitOpsInt8, accuracy: null,
      weightBytes: figures.weightBytes + more, flashBytes: figures.flashBytes + more, weightCodeBytes: preview.weightCodeBytes,
    },
  };
}

function accuracyFigure({ figures }: PlanView): Figure | null {
  const { accuracy } = figures;
  if (accuracy === null) return null;
  const images = t('on {0} images', plain(accuracy.images, 0));
  if (accuracy.agreement === null) {
    const value = accuracy.outputSnr === undefined ? { number: '–', unit: '' } : { number: plain(accuracy.outputSnr, 1), unit: 'dB' };
    return { label: t('Output SNR'), value, caption: images, description: t('Signal-to-noise ratio of the firmware’s outputs against the float model’s') };
  }
  if (accuracy.quantizedTop1 === null) {
    return { label: t('Agreement'), value: share(accuracy.agreement), caption: images, description: t('Images on which the firmware and the float model choose the same class') };
  }
  const lost = accuracy.floatTop1 === null ? null : (accuracy.quantizedTop1 - accuracy.floatTop1) * 100;
  return {
    label: t('Top-1 accuracy'), value: share(accuracy.quantizedTop1),
    change: lost === null ? undefined : { text: `${lost > 0 ? '+' : lost < 0 ? '−' : '±'}${plain(Math.abs(lost), 1)}`, caption: t('points, {0}', images) },
    caption: images, description: t('Firmware arithmetic on labelled images; agreement with float {0}', percent(accuracy.agreement)),
  };
}

const share = (fraction: number): { number: string; unit: string } => ({ number: plain(fraction * 100, 1), unit: '%' });

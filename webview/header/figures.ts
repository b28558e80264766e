/**
 * Which figures the header shows: facts of the model before a plan, the plan against its limits and against 8 bits
 * after.
 */
import type { DetectionAccuracyView, EditorView, ModelView, PlanView, PreviewView } from '../../src/protocol/views';
import { bytes, bytesText, count, countText, milliseconds, millisecondsText, percent, plain } from '../format';
import { t } from '../l10n';
import type { Figure } from './figure';

export function figuresOf(view: EditorView): Figure[] {
  return view.plan === null ? modelFigures(view.model) : planFigures(view.plan);
}

function modelFigures(model: ModelView): Figure[] {
  return [
    {
      label: t('Layers'),
      value: { number: plain(model.layers.length, 0), unit: '' },
      description: t('Layers after folding'),
    },
    { label: t('MACs'), value: count(model.macs), description: t('Multiply-accumulates of one inference') },
    {
      label: t('Parameters'),
      value: count(model.parameters),
      caption: t('{0} at 8 bits', bytesText(model.parameters)),
      description: t('Weights and biases'),
    },
    {
      label: t('File'),
      value: bytes(model.fileBytes),
      caption: t('opset {0}', model.opset),
      description: model.producer,
    },
  ];
}

function planFigures(plan: PlanView): Figure[] {
  const { figures, target } = plan;
  const { int8Layerwise } = figures;
  return [
    {
      label: t('SRAM peak'),
      value: bytes(figures.arenaBytes),
      limit: t('of {0}', bytesText(target.sramBytes)),
      fraction: figures.arenaBytes / target.sramBytes,
      change: change(figures.arenaBytes, int8Layerwise.arenaBytes),
      caption: t('of the arena'),
      description: t(
        '{0} bytes of arena; 8-bit layer by layer needs {1} bytes',
        plain(figures.arenaBytes, 0),
        plain(int8Layerwise.arenaBytes, 0),
      ),
    },
    {
      label: t('Flash'),
      value: bytes(figures.flashBytes),
      limit: t('of {0}', bytesText(target.flashBytes)),
      fraction: figures.flashBytes / target.flashBytes,
      change: change(figures.flashBytes, int8Layerwise.flashBytes),
      caption: t('weights {0}', bytesText(figures.flash.weights)),
      description: flashDescription(figures),
    },
    {
      label: t('BitOPs'),
      value: count(figures.bitOps),
      change: change(figures.bitOps, int8Layerwise.bitOps),
      caption:
        plan.stage === null
          ? t('layer by layer')
          : t('{0} of MACs recomputed', percent(plan.stage.redundantMacsPercent / 100)),
      description: t(
        'Σ MACs × weight bits × input bits, halo recomputation included ({0} of {1} MACs). 8-bit layer by layer: ' +
          '{2}; the same patches at 8 bits: {3}',
        percent(plan.stage === null ? 0 : plan.stage.redundantMacsPercent / 100),
        countText(figures.macs),
        countText(int8Layerwise.bitOps),
        countText(figures.bitOpsInt8),
      ),
    },
    latencyFigure(plan),
    accuracyFigure(plan),
  ];
}

/** How the plan compares with 8 bits layer by layer: a factor where it is smaller, a percentage where it is larger. */
function change(value: number, reference: number): Figure['change'] {
  if (!(value > 0) || !(reference > 0)) return undefined;
  if (value <= reference)
    return { text: `${plain(reference / value, 2)}×`, caption: t('less than 8-bit layer by layer') };
  return { text: `+${percent(value / reference - 1, 0)}`, caption: t('against 8-bit layer by layer') };
}

function latencyFigure({ figures, target }: PlanView): Figure {
  const { latencyMs, int8Layerwise } = figures;
  const label = t('Latency (estimate)');
  if (latencyMs === null)
    return {
      label,
      value: { number: '–', unit: '' },
      caption: t('no clock rate given'),
      description: t('Boards of your own have a core, SRAM and flash, but no clock rate'),
    };
  return {
    label,
    value: milliseconds(latencyMs),
    limit:
      figures.latencyError === undefined ? undefined : t('± {0}', millisecondsText(latencyMs * figures.latencyError)),
    change: int8Layerwise.latencyMs === null ? undefined : change(latencyMs, int8Layerwise.latencyMs),
    description: t(
      'Estimated from counted instructions of the kernels on this core and the board’s memory, at {0} MHz',
      target.clockMHz,
    ),
  };
}

/**
 * The plan's figures after a change: tables beside the weights stay about as they are; an accuracy is only of what was
 * evaluated.
 */
export function previewedPlan(plan: PlanView, preview: PreviewView): PlanView {
  const { figures, stage } = plan;
  const once = stage === null ? figures.macs : figures.macs / (1 + stage.redundantMacsPercent / 100);
  return {
    ...plan,
    target: { ...plan.target, ...preview.target },
    stage: stage && { ...stage, redundantMacsPercent: 100 * (preview.macs / once - 1) },
    figures: {
      ...figures,
      arenaBytes: preview.arenaBytes,
      latencyMs: preview.latencyMs,
      macs: preview.macs,
      bitOps: preview.bitOps,
      bitOpsInt8: preview.bitOpsInt8,
      accuracy: null,
      flashBytes: figures.flashBytes + preview.flashEstimate - figures.flash.estimate,
    },
  };
}

/** Flash by its parts, and by what storage forms are chosen for. */
function flashDescription({ flash, flashBytes, levels, int8Layerwise }: PlanView['figures']): string {
  const names = { size: t('size'), balanced: t('balanced'), speed: t('speed') };
  return [
    t(
      '{0} bytes: weights {1}, tables {2}, code {3} ({4} at {5}); with everything at 8 bits {6} bytes',
      plain(flashBytes, 0),
      plain(flash.weights, 0),
      plain(flash.tables, 0),
      plain(flash.code, 0),
      flash.core,
      flash.level,
      plain(int8Layerwise.flashBytes, 0),
    ),
    t('The self-test adds {0} bytes if it is called', plain(flash.selfTest, 0)),
    t('{0} bytes are reserved for the application', plain(flash.reserveBytes, 0)),
    ...levels.map((level) =>
      level.latencyMs === null
        ? t('{0}: {1} bytes', names[level.optimize], plain(level.flashBytes, 0))
        : t('{0}: {1} bytes, {2} ms', names[level.optimize], plain(level.flashBytes, 0), level.latencyMs.toFixed(1)),
    ),
  ].join('\n');
}

function accuracyFigure({ figures }: PlanView): Figure {
  const { accuracy } = figures;
  if (accuracy === null) {
    return {
      label: t('Accuracy'),
      value: { number: '–', unit: '' },
      caption: t('not evaluated'),
      description: t('Evaluate runs the firmware’s arithmetic and the float model on images'),
    };
  }
  const images = t('on {0} images', plain(accuracy.images, 0));
  if (accuracy.detection !== undefined) return detectionFigure(accuracy.detection, images);
  if (accuracy.agreement === null) {
    const snr = accuracy.outputSnr;
    return {
      label: t('Output SNR'),
      value: snr === undefined ? { number: '∞', unit: '' } : { number: plain(snr, 1), unit: 'dB' },
      caption: images,
      description: t('Signal-to-noise ratio of the firmware’s outputs against the float model'),
    };
  }
  if (accuracy.quantizedTop1 === null) {
    return {
      label: t('Agreement'),
      value: share(accuracy.agreement),
      caption: images,
      description: t('Images on which the firmware and the float model choose the same class'),
    };
  }
  const lost = accuracy.floatTop1 === null ? null : (accuracy.quantizedTop1 - accuracy.floatTop1) * 100;
  return {
    label: t('Top-1 accuracy'),
    value: share(accuracy.quantizedTop1),
    change:
      lost === null
        ? undefined
        : {
            text: signed(lost),
            caption: t('points, {0}', images),
          },
    caption: images,
    description: t('Firmware arithmetic on labelled images; agreement with float {0}', percent(accuracy.agreement)),
  };
}

function detectionFigure({ map50, boxAgreement }: DetectionAccuracyView, images: string): Figure {
  const boxes = t('{0} of the boxes of float and firmware match one of the other', percent(boxAgreement));
  if (map50 === null)
    return { label: t('Box agreement'), value: share(boxAgreement), caption: images, description: boxes };
  const points = (fraction: number): string => signed(fraction * 100);
  return {
    label: t('mAP@0.5'),
    value: share(map50.quantized),
    change: { text: points(map50.quantized - map50.float), caption: t('points, {0}', images) },
    caption: images,
    description: [
      t(
        'Firmware arithmetic on images with known boxes; float {0}; 95 % interval of the change {1} to {2} points',
        percent(map50.float),
        points(map50.low),
        points(map50.high),
      ),
      boxes,
      ...map50.classes.map(({ label, float, quantized }) =>
        t('{0}: {1}, float {2}', label, percent(quantized), percent(float)),
      ),
    ].join('\n'),
  };
}

const signed = (points: number): string => `${points > 0 ? '+' : points < 0 ? '−' : '±'}${plain(Math.abs(points), 1)}`;

const share = (fraction: number): { number: string; unit: string } => ({ number: plain(fraction * 100, 1), unit: '%' });

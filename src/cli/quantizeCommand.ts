import type { Progress } from '../engine/common/progress';
import { visible } from '../engine/common/visible';
import { bytesText, counted, fewerText } from '../engine/common/wording';
import { defaultPlanPath } from '../engine/plan/sidecar';
import { DEFAULTS } from '../engine/run/options';
import { quantize } from '../engine/run/quantize';
import type { QuantizeSummary } from '../engine/run/quantizeSummary';
import { OPTIMIZE_LEVELS } from '../engine/targets/types';
import { planningOptions, text, type Command, type CommandResult } from './command';
import { count, fraction, modelOptionsOf, one, oneOf, planOptionsOf, searchOf, type Values } from './commandOptions';

/** `quantmcu quantize`: from a model and its images to a plan. */
export const quantizeCommand: Command = {
  synopsis:
    'quantize MODEL --images DIR --target ID [--sram BYTES] [--flash BYTES] [--flash-reserve BYTES|PERCENT%] ' +
    '[--optimize size|balanced|speed] [--core CORE] [--input ' +
    'counted|external|tiles] [--grid HxW|auto|none] [--bits 16,8,4,2] [--weights 8|4|auto] [--search ' +
    'sensitivity|entropy] [--objective latency|bitops|sram|flash] [--latency-budget MS] ' +
    '[--bitops-target RATIO] [--accuracy-budget POINTS] [--lambda F] [--phi F] ' +
    '[--epsilon F] [--classes static|runtime] [--halos auto|recompute] [--task classify|binary|regress|detect] ' +
    '[--head PRESET|FILE.json|none] [--preprocess auto|imagenet|tf|unit|raw|stretch|letterbox|FILE.json] ' +
    '[--limit N] [--sizes NAME=N,…] [--threads N] [--no-compensate] [--no-cache] [--force] [--out PLAN]',
  summary: 'calibrate, search for bits and patches, and write a plan',
  options: {
    ...planningOptions,
    'flash-reserve': text,
    optimize: text,
    search: text,
    halos: text,
    threads: text,
    objective: text,
    'latency-budget': text,
    'accuracy-budget': text,
  },
  example: 'quantize model.onnx --images photos --target nano33ble --out model.quantmcu.json',
  optionHelp: {
    bits: {
      value: '16,8,4,2',
      text: 'bits a feature map may have; 16: where they reduce the loss for few instructions',
      fallback: DEFAULTS.bits.join(','),
    },
    out: { value: 'PLAN', text: 'the plan to write', fallback: 'next to the model' },
    force: { text: "overwrite files that are not QuantMCU's, and keep no locked decisions" },
  },
  run: runQuantize,
};

async function runQuantize(positionals: readonly string[], values: Values, progress: Progress): Promise<CommandResult> {
  const modelPath = one(positionals, 'MODEL');
  const planPath = typeof values.out === 'string' ? values.out : defaultPlanPath(modelPath);
  // What finds it out is what an option that is not given does.
  const preprocess = values.preprocess === 'auto' ? undefined : values.preprocess;
  const outcome = await quantize(
    {
      modelPath,
      planPath,
      ...planOptionsOf(values),
      phi: fraction(values, 'phi'),
      lambda: fraction(values, 'lambda'),
      ...searchOf(values),
      halos: oneOf(values, 'halos', ['auto', 'recompute'] as const, 'auto'),
      ...(await modelOptionsOf({ ...values, preprocess }, modelPath)),
      force: values.force === true,
      threads: count(values, 'threads') || undefined,
      limit: count(values, 'limit'),
    },
    progress,
  );
  return { text: describeOutcome(outcome.summary), json: outcome.summary };
}

/** What a quantization gave, a line for each figure and each note. */
function describeOutcome(s: QuantizeSummary): string {
  const { arenaBytes, sramBytes, int8LayerwiseArenaBytes } = s.memory;
  const lines = [
    `Plan: ${s.plan}`,
    `Board: ${s.target}; arena ${bytesText(arenaBytes)} of ${bytesText(sramBytes)} (8 bits layer by layer: ` +
      `${bytesText(int8LayerwiseArenaBytes)})`,
    s.patch ? stageText(s.patch) : 'Layer by layer, without patches',
    s.bitOps.plan > 0
      ? `BitOPs: ${fewerText(s.bitOps.reduction, s.patch ? 'the same patches at 8 bits' : '8 bits')}`
      : 'BitOPs: none, since no layer has weights',
    ...flashLines(s),
    ...s.notes.map(visible),
  ];
  return lines.join('\n');
}

function stageText({ grid, layers, redundantMacsPercent }: NonNullable<QuantizeSummary['patch']>): string {
  const more = redundantMacsPercent.toFixed(1);
  const patches = grid === '1x1' ? 'patch' : 'patches';
  return (
    `Patch stage: ${grid.replace('x', '×')} ${patches} over ${counted(layers, 'layer')}, ` +
    (more === '0.0' ? 'no MACs computed twice' : `${more} % more MACs`)
  );
}

/** Flash by its parts, and the three ways to use it side by side. */
function flashLines({ flash, levels, latencyMs }: QuantizeSummary): string[] {
  const left = flash.flashBytes - flash.total;
  return [
    `Flash: ${bytesText(flash.total)} of ${bytesText(flash.flashBytes)}, ${bytesText(left)} left for the ` +
      `application (${flash.core}, GCC ${flash.level}, ${flash.optimize}): weights ${bytesText(flash.weights)}, ` +
      `tables ${bytesText(flash.tables)}, code ${bytesText(flash.code)}; the self-test adds ` +
      `${bytesText(flash.selfTest)} if it is called`,
    ...OPTIMIZE_LEVELS.map((optimize) => {
      const level = levels[optimize];
      const time = latencyMs === null || level.latencyMs === null ? '' : `, ${level.latencyMs.toFixed(1)} ms`;
      return `  --optimize ${optimize.padEnd(8)} ${bytesText(level.flashBytes)}${time}`;
    }),
  ];
}

import { promises as fs } from 'node:fs';
import type { Evaluation } from '../engine/run/evaluate';
import { hashBytes, writeFilesWhole } from '../engine/plan/files';
import { assertReplaceable } from '../engine/plan/ownFile';
import type { Plan } from '../engine/plan/types';
import type { OpenedPlan } from '../engine/planned/open';
import type { DetectionEvaluation } from '../engine/evaluation/types';
import type { AccuracyView, DetectionAccuracyView } from '../protocol/views';

/** Results kept for one model: those of the variants that a person compares. */
const KEPT_RESULTS = 40;
const MAX_RESULTS_BYTES = 1 << 20;

interface StoredResult {
  /** {@link planHash} of the plan that was evaluated, or ran on an emulator. */
  readonly plan: string;
  /** Missing where it only ran. */
  readonly accuracy?: AccuracyView;
  readonly counts?: StoredCounts;
  /** Signal-to-noise ratio of each layer's output, dB, by layer name; those without noise are missing. */
  readonly snr?: Readonly<Record<string, number>>;
}

/** Instructions that an emulated board took for one inference. */
export interface StoredCounts {
  readonly core: string;
  /** By layer name. */
  readonly layers: Readonly<Record<string, number>>;
}

/** `net.quantmcu.json` → `net.quantmcu.results.json` beside it. */
function resultsPathOf(planPath: string): string {
  return planPath.replace(/\.json$/i, '') + '.results.json';
}

/** SHA-256 over what decides the outputs of a plan: a lock or another name of the board changes nothing. */
export function planHash(plan: Plan): string {
  const rows = (record: Readonly<Record<string, { readonly locked?: boolean }>>): unknown[] =>
    Object.keys(record)
      .sort()
      .map((name) => [name, { ...record[name], locked: undefined }]);
  return hashBytes(
    JSON.stringify([
      plan.model.sha256,
      plan.model.sizes ?? {},
      plan.preprocess,
      plan.calibration.key,
      plan.patchStage,
      rows(plan.maps),
      rows(plan.layers),
      plan.parameters.sha256,
    ]),
  );
}

/**
 * What is known of exactly this plan; null when there is nothing. A file that cannot be read is as none: it holds
 * nothing that cannot be computed again.
 */
export async function storedResult(
  planPath: string,
  plan: Plan,
): Promise<Pick<StoredResult, 'accuracy' | 'snr' | 'counts'> | null> {
  const hash = planHash(plan);
  return (await readResults(planPath)).find((result) => result.plan === hash) ?? null;
}

/**
 * Keeps an evaluation beside the plan, written whole or not at all.
 * @throws UserError when it cannot be written, or something else has its name
 */
export async function storeAccuracy(planPath: string, plan: Plan, evaluation: Evaluation): Promise<void> {
  const hash = planHash(plan);
  const share = (percent: number | null): number | null => (percent === null ? null : percent / 100);
  const accuracy: AccuracyView = {
    images: evaluation.images,
    floatTop1: share(evaluation.float.top1),
    quantizedTop1: share(evaluation.quantized.top1),
    agreement: share(evaluation.agreement),
    ...(Number.isFinite(evaluation.outputSnr) ? { outputSnr: evaluation.outputSnr } : {}),
    ...(evaluation.detection ? { detection: detectionView(evaluation.detection) } : {}),
  };
  const snr =
    evaluation.layers &&
    Object.fromEntries(
      evaluation.layers.filter((layer) => Number.isFinite(layer.snr)).map((layer) => [layer.name, layer.snr]),
    );
  await store(planPath, hash, { accuracy, ...(snr ? { snr } : {}) });
}

/**
 * Keeps what an emulated board counted beside the plan, as {@link storeAccuracy} does.
 * @param counts by the layers' positions
 */
export async function storeCounts(
  planPath: string,
  { plan, graph }: Pick<OpenedPlan, 'plan' | 'graph'>,
  core: string,
  counts: readonly number[],
): Promise<void> {
  const layers = Object.fromEntries(graph.layers.map(({ name }, i) => [name, counts[i] ?? 0]));
  await store(planPath, planHash(plan), { counts: { core, layers } });
}

/** Adds to what is known of a plan. */
async function store(planPath: string, hash: string, result: Omit<StoredResult, 'plan'>): Promise<void> {
  const known = await readResults(planPath);
  const before = known.find(({ plan }) => plan === hash);
  const results: StoredResult[] = [
    { ...before, plan: hash, ...result },
    ...known.filter((other) => other !== before),
  ].slice(0, KEPT_RESULTS);
  await assertReplaceable(resultsPathOf(planPath), 'results');
  await writeFilesWhole([
    {
      path: resultsPathOf(planPath),
      data:
        `{\n  "version": 1,\n  "results": [\n${results.map((r) => `    ${JSON.stringify(r)}`).join(',\n')}\n ` +
        ' ]\n}\n',
    },
  ]);
}

function detectionView({ accuracy, agreement }: DetectionEvaluation): DetectionAccuracyView {
  return {
    boxAgreement: agreement.paired / 100,
    map50: accuracy && {
      float: accuracy.float.map50 / 100,
      quantized: accuracy.quantized.map50 / 100,
      low: accuracy.difference.low / 100,
      high: accuracy.difference.high / 100,
      objects: accuracy.objects,
      classes: accuracy.classes.map(({ label, objects, float, quantized }) => ({
        label,
        objects,
        float: float / 100,
        quantized: quantized / 100,
      })),
    },
  };
}

async function readResults(planPath: string): Promise<StoredResult[]> {
  try {
    const file = resultsPathOf(planPath);
    const stat = await fs.stat(file);
    if (!stat.isFile() || stat.size > MAX_RESULTS_BYTES) return [];
    const { version, results } = JSON.parse(await fs.readFile(file, 'utf8')) as {
      version?: unknown;
      results?: unknown;
    };
    return version === 1 && Array.isArray(results) ? results.filter(isResult) : [];
  } catch {
    return [];
  }
}

function isResult(value: unknown): value is StoredResult {
  const { plan, accuracy, counts } = (value ?? {}) as Partial<StoredResult>;
  const share = (v: unknown): boolean => typeof v === 'number' && v >= 0 && v <= 1;
  const shareOrNull = (v: unknown): boolean => v === null || share(v);
  if (typeof plan !== 'string' || (counts !== undefined && !isCounts(counts))) return false;
  if (accuracy === undefined) return counts !== undefined;
  return (
    typeof accuracy === 'object' &&
    accuracy !== null &&
    Number.isInteger(accuracy.images) &&
    shareOrNull(accuracy.floatTop1) &&
    shareOrNull(accuracy.quantizedTop1) &&
    shareOrNull(accuracy.agreement) &&
    ['number', 'undefined'].includes(typeof accuracy.outputSnr) &&
    (accuracy.detection === undefined || isDetection(accuracy.detection))
  );
}

function isCounts(value: unknown): value is StoredCounts {
  const { core, layers } = (value ?? {}) as Partial<StoredCounts>;
  return (
    typeof core === 'string' &&
    typeof layers === 'object' &&
    layers !== null &&
    Object.values(layers).every((n) => Number.isFinite(n))
  );
}

function isDetection(value: unknown): value is DetectionAccuracyView {
  const number = (v: unknown): boolean => typeof v === 'number' && Number.isFinite(v);
  const { boxAgreement, map50 } = (value ?? {}) as Partial<DetectionAccuracyView>;
  if (!number(boxAgreement)) return false;
  if (map50 === null) return true;
  return (
    typeof map50 === 'object' &&
    [map50.float, map50.quantized, map50.low, map50.high, map50.objects].every(number) &&
    Array.isArray(map50.classes) &&
    map50.classes.every(
      (c: Partial<(typeof map50.classes)[number]> | null) =>
        typeof c?.label === 'string' && [c.objects, c.float, c.quantized].every(number),
    )
  );
}

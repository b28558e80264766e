import { promises as fs } from 'node:fs';
import { cachedCalibration, defaultCachePath } from '../engine/calibration/cache';
import type { Calibration } from '../engine/calibration/types';
import { UserError } from '../engine/common/errors';
import type { Graph } from '../engine/graph/types';
import { importModel } from '../engine/onnx';
import { hashModel } from '../engine/plan/files';
import type { Plan } from '../engine/plan/types';
import type { OpenedPlan, PlanModel } from '../engine/planned/open';
import type { Fit } from '../engine/run/fit';
import { FloatOutputs } from './detections';
import { readModelView, type ShownModel } from './modelView';

type Sizes = Readonly<Record<string, number>> | undefined;

/** Where a plan's network ends, and for which sizes. */
type Ends = Pick<Plan['model'], 'sizes' | 'outputs'>;

/** Models kept at once: one that is looked at, and one that it is compared with. */
const KEPT_MODELS = 2;

interface Entry {
  readonly key: string;
  readonly shown: Promise<ShownModel>;
  /** Imported when first asked for, where showing the model did not need it. */
  graph?: Promise<Graph>;
  /** Ending in other values than the file does. */
  cut?: { readonly key: string; readonly graph: Promise<Graph> };
  sha256?: Promise<string>;
  calibration?: { readonly key: string; readonly value: Promise<Calibration | null> };
  opened?: { readonly key: string; readonly value: Promise<OpenedPlan> };
  fit?: { readonly key: string; readonly value: Promise<Fit> };
}

/**
 * Models and calibrations that were read, so that a changed bit does not cost reading them again. A model is the same
 * as long as its file's size and time are; the ones used last are kept until the engine stops.
 */
export class ModelStore {
  private entries: Entry[] = [];
  /** Of the detector that was looked at last. */
  readonly floatOutputs = new FloatOutputs();

  constructor(private readonly cachePath = defaultCachePath()) {}

  /** @throws UserError when the file cannot be read as ONNX */
  async shown(modelPath: string, sizes: Sizes): Promise<ShownModel> {
    return (await this.entry(modelPath, sizes)).shown;
  }

  /** For openPlan. @throws UserError when the model cannot be imported */
  async model(modelPath: string, { sizes, outputs }: Ends = {}): Promise<PlanModel> {
    const entry = await this.entry(modelPath, sizes);
    entry.sha256 ??= hashModel(modelPath);
    if (outputs) return { sha256: await entry.sha256, graph: await cutGraph(entry, modelPath, { sizes, outputs }) };
    const [{ graph }, sha256] = await Promise.all([entry.shown, entry.sha256]);
    if (graph) return { sha256, graph };
    // Where it cannot be imported, importing says why.
    entry.graph ??= importModel(modelPath, { sizes });
    entry.graph.catch(() => {
      entry.graph = undefined;
    });
    return { sha256, graph: await entry.graph };
  }

  /** The calibration of a kept model, if it is cached on this machine. */
  async calibration(key: string, graph: Graph): Promise<Calibration | null> {
    const entry = await this.entryOf(graph);
    if (entry?.calibration?.key === key) return entry.calibration.value;
    const value = cachedCalibration(this.cachePath, key, graph);
    // What is not there now may be there after the next quantization.
    if ((await value) !== null && entry) entry.calibration = { key, value };
    return value;
  }

  /** The plan of a kept model that was opened last, if it is this one. @param key says which plan it is */
  async opened(graph: Graph, key: string, open: () => Promise<OpenedPlan>): Promise<OpenedPlan> {
    const entry = await this.entryOf(graph);
    if (entry?.opened?.key === key) return entry.opened.value;
    const value = open();
    if (entry) {
      entry.opened = { key, value };
      value.catch(() => {
        if (entry.opened?.value === value) entry.opened = undefined;
      });
    }
    return value;
  }

  /** On which boards a kept model fits, as it was found last. @param key says which boards and limits are asked for */
  async fit(graph: Graph, key: string, check: () => Promise<Fit>): Promise<Fit> {
    const entry = await this.entryOf(graph);
    if (entry?.fit?.key === key) return entry.fit.value;
    const value = check();
    if (entry) {
      entry.fit = { key, value };
      value.catch(() => {
        if (entry.fit?.value === value) entry.fit = undefined;
      });
    }
    return value;
  }

  private async entryOf(graph: Graph): Promise<Entry | undefined> {
    const known = await Promise.all(
      this.entries.map(async (entry) => ({
        entry,
        graphs: [
          (await entry.shown.catch(() => null))?.graph,
          await entry.graph?.catch(() => null),
          await entry.cut?.graph.catch(() => null),
        ],
      })),
    );
    return known.find(({ graphs }) => graphs.includes(graph))?.entry;
  }

  private async entry(modelPath: string, sizes: Sizes): Promise<Entry> {
    const stat = await fs.stat(modelPath).catch((error: Error) => {
      throw new UserError(`${modelPath} cannot be read: ${error.message}.`, { cause: error });
    });
    const key = JSON.stringify([modelPath, stat.size, stat.mtimeMs, stat.ino, sizes ?? {}]);
    let entry = this.entries.find((e) => e.key === key);
    if (!entry) {
      const shown = readModelView(modelPath, sizes);
      entry = { key, shown };
      shown.catch(() => {
        this.entries = this.entries.filter((e) => e.key !== key);
      });
    }
    this.entries = [entry, ...this.entries.filter((e) => e !== entry)].slice(0, KEPT_MODELS);
    return entry;
  }
}

/** The graph of a kept model that ends in other values than its file does. */
function cutGraph(entry: Entry, modelPath: string, ends: Ends): Promise<Graph> {
  const key = JSON.stringify(ends.outputs);
  if (entry.cut?.key !== key) {
    const cut = { key, graph: importModel(modelPath, ends) };
    entry.cut = cut;
    cut.graph.catch(() => {
      if (entry.cut === cut) entry.cut = undefined;
    });
  }
  return entry.cut.graph;
}

import { UserError } from '../common/errors';
import { findCut, type Cut } from '../detection/cut/findCut';
import { outputsOf, type DetectionHead } from '../detection/head';
import { readHead } from '../detection/headFile';
import type { Graph } from '../graph/types';
import { importModel } from '../onnx';
import { hashModel } from '../plan/files';
import type { PlanModel } from '../planned/open';
import type { QuantizeOptions } from './options';

/** A model as it is quantized. */
export interface Network extends PlanModel {
  /** Where it was cut before the decoding of boxes, and what does the same; null: it ends as its file does. */
  readonly cut: Cut | null;
}

/** What decides where a network ends. */
export type NetworkOptions = Pick<QuantizeOptions, 'modelPath' | 'sizes' | 'task' | 'head'>;

/**
 * Reads a model. A detector that decodes its boxes itself is cut before it does, unless a head for its outputs is
 * given; where a given head names values within the network, it ends in these.
 *
 * @param whole gives the model as its file has it, for callers that keep it
 * @throws UserError when it cannot be read or imported
 */
export async function readNetwork(options: NetworkOptions, whole?: () => Promise<PlanModel>): Promise<Network> {
  const { modelPath, sizes } = options;
  const read = whole ?? (() => readWhole(options));
  const given = await givenHead(options);
  if (given !== undefined) {
    const model = await read();
    const outputs = innerOutputs(model.graph, given);
    return outputs
      ? { ...model, graph: await importModel(modelPath, { sizes, outputs }), cut: null }
      : { ...model, cut: null };
  }
  const isDetector = options.head === undefined && (options.task ?? 'detect') === 'detect';
  if (!isDetector) return { ...(await read()), cut: null };
  try {
    const model = await read();
    const cut = await findCut(modelPath, { sizes });
    return { ...model, graph: cut?.graph ?? model.graph, cut };
  } catch (error) {
    // What cannot be imported may lie behind the cut.
    const cut = error instanceof UserError ? await findCut(modelPath, { sizes }).catch(() => null) : null;
    if (!cut) throw error;
    return { sha256: await hashModel(modelPath), graph: cut.graph, cut };
  }
}

async function readWhole({ modelPath, sizes }: NetworkOptions): Promise<PlanModel> {
  const sha256 = await hashModel(modelPath);
  return { sha256, graph: await importModel(modelPath, { sizes }) };
}

/** The head that was given as such or as a file. */
async function givenHead({ head }: NetworkOptions): Promise<DetectionHead | undefined> {
  if (typeof head === 'object') return head;
  return head?.toLowerCase().endsWith('.json') ? readHead(head) : undefined;
}

/** The values that a head reads, where the network does not end in all of them. */
function innerOutputs(graph: Graph, head: DetectionHead): readonly string[] | null {
  const names = outputsOf(head);
  return names.every((name) => graph.outputs.some((o) => o.name === name)) ? null : names;
}

/** What was cut in one line, and how to do without. */
export function cutNote({ head, outputs, replaced, selection }: Cut): string {
  const { preset, labels, levels } = head;
  const locations = levels.reduce((n, l) => n + l.rows * l.cols * l.anchors.length, 0);
  const list = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');
  const ends = selection ? ` and selected by ${selection.opType} "${selection.node}"` : '';
  return (
    `The network decodes its boxes itself (output ${list(replaced)}${ends}). It is cut at ${list(outputs)}, and the ` +
    `firmware decodes them in integers: head ${preset}, ${labels.length} class${labels.length === 1 ? '' : 'es'}, ` +
    `${locations} locations, which gives the same boxes and scores for random values.` +
    (selection ? '' : ' Set --head decoded to keep the outputs as they are.')
  );
}

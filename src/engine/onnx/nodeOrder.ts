import type { NodeInfo, OnnxModel } from './model';
import type { ModelProblem } from './problems';

/** The nodes that the graph outputs depend on, each after its producers, and what is wrong with the wiring. */
export interface NodeOrder {
  readonly nodes: readonly NodeInfo[];
  readonly problems: readonly ModelProblem[];
}

/** Name under which the user finds a node: its own, else that of its first output. */
export function nodeLabel(node: NodeInfo): string {
  return node.name || node.outputs.find((name) => name !== '') || `#${node.index}`;
}

/**
 * Sorts the live nodes topologically, in file order as far as that allows. Works with lists instead of recursion, for
 * chains of any length.
 */
export function orderNodes(model: OnnxModel): NodeOrder {
  const problems: ModelProblem[] = [];
  const producer = new Map<string, NodeInfo>();
  for (const node of model.nodes) {
    for (const output of node.outputs) {
      if (output === '') continue;
      const other = producer.get(output);
      if (other) {
        problems.push({
          node: nodeLabel(node),
          opType: node.opType,
          message: `writes value "${output}", which node "${nodeLabel(other)}" writes too`,
          remedy: 'Each value may have one producer: export the model again.',
        });
      } else {
        producer.set(output, node);
        if (!model.initializers.has(output)) continue;
        problems.push({
          node: nodeLabel(node),
          opType: node.opType,
          message: `writes "${output}", which is also an initializer`,
          remedy: 'Export the model again.',
        });
      }
    }
  }
  const available = new Set<string>([
    ...model.inputs.map((input) => input.name),
    ...model.initializers.keys(),
    ...model.sparseInitializers,
  ]);
  const live = markLive(model, producer, available, problems);
  const sorted = sortLive(model, live, producer);
  if (sorted.length < live.size) {
    const done = new Set(sorted);
    const stuck = model.nodes.find((node) => live.has(node) && !done.has(node))!;
    problems.push({
      node: nodeLabel(stuck),
      opType: stuck.opType,
      message: 'depends on its own output (the graph has a cycle)',
      remedy: 'Export the model again.',
    });
  }
  return { nodes: sorted, problems };
}

function markLive(
  model: OnnxModel,
  producer: ReadonlyMap<string, NodeInfo>,
  available: ReadonlySet<string>,
  problems: ModelProblem[],
): Set<NodeInfo> {
  const live = new Set<NodeInfo>();
  const open: NodeInfo[] = [];
  const need = (name: string, missing: () => ModelProblem): void => {
    const node = producer.get(name);
    if (node) {
      if (!live.has(node)) open.push(node);
      live.add(node);
    } else if (!available.has(name)) problems.push(missing());
  };
  for (const output of model.outputs) {
    need(output.name, () => ({
      node: output.name,
      opType: 'Output',
      message: 'is not produced by any node',
      remedy: 'Export the model again, or correct its outputs.',
    }));
  }
  for (let node = open.pop(); node; node = open.pop()) {
    const reader = node;
    for (const input of node.inputs) {
      if (input === '') continue;
      need(input, () => ({
        node: nodeLabel(reader),
        opType: reader.opType,
        message: `reads "${input}", which nothing defines`,
        remedy: 'A weight or node is missing from the file: export the model again.',
      }));
    }
  }
  return live;
}

/** Kahn's algorithm; among ready nodes the earliest in the file goes first. */
function sortLive(model: OnnxModel, live: ReadonlySet<NodeInfo>, producer: ReadonlyMap<string, NodeInfo>): NodeInfo[] {
  const waiting = new Map<NodeInfo, number>();
  const readers = new Map<NodeInfo, NodeInfo[]>();
  const ready = new IndexHeap();
  for (const node of model.nodes) {
    if (!live.has(node)) continue;
    let count = 0;
    for (const input of new Set(node.inputs)) {
      const from = producer.get(input);
      if (!from) continue;
      count++;
      const list = readers.get(from);
      if (list) list.push(node);
      else readers.set(from, [node]);
    }
    waiting.set(node, count);
    if (count === 0) ready.push(node.index);
  }
  const sorted: NodeInfo[] = [];
  for (let index = ready.pop(); index !== undefined; index = ready.pop()) {
    const node = model.nodes[index];
    sorted.push(node);
    for (const reader of readers.get(node) ?? []) {
      const left = waiting.get(reader)! - 1;
      waiting.set(reader, left);
      if (left === 0) ready.push(reader.index);
    }
  }
  return sorted;
}

/** Binary heap of node indices, smallest first. */
class IndexHeap {
  private readonly items: number[] = [];

  push(value: number): void {
    const { items } = this;
    let at = items.push(value) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent] <= value) break;
      items[at] = items[parent];
      at = parent;
    }
    items[at] = value;
  }

  pop(): number | undefined {
    const { items } = this;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1] < items[child]) child++;
      if (items[child] >= last) break;
      items[at] = items[child];
      at = child;
    }
    items[at] = last;
    return top;
  }
}

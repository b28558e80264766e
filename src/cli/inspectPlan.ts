import { visible } from '../engine/common/visible';
import { isWeighted } from '../engine/graph/types';
import type { OpenedPlan } from '../engine/planned/open';
import { decisionsOf } from '../engine/planned/decisions';
import type { BitsAccount } from '../engine/plan/types';
import { bitsAccounts, isAsSearched } from '../engine/run/bitReasons';

const CHANGED =
  'The plan was changed after the search: why that stopped and what it was expected to lose no longer holds.';

/** `inspect PLAN`: the bits of every layer, and why it has them. */
export function inspectPlan({ graph, plan, planPath }: OpenedPlan): { text: string; json: unknown } {
  const bits = decisionsOf(graph, plan, planPath);
  const { maps, layers } = bitsAccounts(graph, plan, bits);
  const asSearched = isAsSearched(graph, plan, bits);
  const rows = graph.layers.map((layer) => {
    const own = isWeighted(layer) ? layers[layer.name] : undefined;
    const parts = [
      `output ${accountText(maps[graph.maps[layer.output].name])}`,
      ...(own ? [`weights ${accountText(own.weights)}`] : []),
      ...(own?.input ? [`input ${accountText(own.input)}`] : []),
    ];
    return `${visible(layer.name)}\t${layer.kind}\t${parts.join(', ')}`;
  });
  const { account } = plan;
  const notes = account === undefined ? [] : asSearched ? account.notes : [CHANGED];
  return {
    text: [...rows, ...notes.map(visible)].join('\n'),
    json: { maps, layers, asSearched, account: account ?? null },
  };
}

function accountText({ bits, by }: BitsAccount): string {
  return `${bits} bits (${by})`;
}

import { findNodeAtLocation, parseTree, type Node } from 'jsonc-parser';

/** Characters from `start` up to `end`, exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A row of a plan: a decision about a layer or a feature map. */
export interface PlanRow {
  readonly kind: 'layer' | 'map';
  readonly name: string;
  /** The name with its quotation marks. */
  readonly key: Span;
}

/** What a plan's text says about its layers and maps; also of a text that is being typed and no JSON yet. */
export function planRows(text: string): PlanRow[] {
  const root = parseTree(text);
  return root ? [...rowsIn(root, 'layers', 'layer'), ...rowsIn(root, 'maps', 'map')] : [];
}

function rowsIn(root: Node, section: string, kind: PlanRow['kind']): PlanRow[] {
  const properties = findNodeAtLocation(root, [section])?.children ?? [];
  return properties.flatMap(({ children }) => {
    const key = children?.[0];
    return typeof key?.value === 'string' ? [{ kind, name: key.value, key: spanOf(key) }] : [];
  });
}

/**
 * The value at some keys; where there is none, the nearest that holds it; undefined where the text has no value at all.
 */
export function placeInText(text: string, keys: readonly string[]): Span | undefined {
  const root = parseTree(text);
  if (!root) return undefined;
  for (let length = keys.length; length > 0; length--) {
    const node =
      findNodeAtLocation(
        root,
        keys.slice(0, length).map((key) => (/^\d+$/.test(key) ? Number(key) : key)),
      ) ?? findNodeAtLocation(root, keys.slice(0, length));
    if (!node) continue;
    // Of an object or a list the key says enough; a mark over all of it would hide others.
    const key = node.parent?.type === 'property' ? node.parent.children?.[0] : undefined;
    return spanOf(key && (node.type === 'object' || node.type === 'array') ? key : node);
  }
  return { start: root.offset, end: root.offset + 1 };
}

function spanOf({ offset, length }: Node): Span {
  return { start: offset, end: offset + length };
}

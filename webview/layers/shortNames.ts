/**
 * Names for narrow places. Exporters repeat themselves: `/features/features.2/conv/conv.1/Conv` says no more than
 * `features.2/conv.1`. A segment goes when the next one begins with it, or when it only repeats the operator; a name
 * that would no longer be the only one of its kind stays as it is.
 */
export function shortNames(layers: readonly { readonly name: string; readonly operators: string }[]): string[] {
  const short = layers.map((layer) => shorten(layer.name, layer.operators));
  const times = new Map<string, number>();
  for (const name of short) times.set(name, (times.get(name) ?? 0) + 1);
  return short.map((name, index) => (times.get(name) === 1 ? name : layers[index].name));
}

/** Names that only a hostile model has are not worth taking apart. */
const longest = 500;

function shorten(name: string, operators: string): string {
  if (name.length > longest || !name.includes('/')) return name;
  const segments = name.split('/').filter((segment) => segment !== '');
  const operator = operators.split(' ')[0];
  const kept = segments.filter((segment, index) => {
    const next = segments[index + 1];
    if (next === undefined) return segments.length === 1 || segment !== operator;
    return !(next === segment || next.startsWith(`${segment}.`) || next.startsWith(`${segment}_`));
  });
  return kept.length === 0 ? name : kept.join('/');
}

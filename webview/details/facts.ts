import { h } from '../dom';

/** Names and values in two columns. */
export function facts(rows: readonly (readonly [string, string] | null)[]): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    ...rows
      .filter((row) => row !== null)
      .flatMap(([name, value]) => [h('dt', { title: name }, name), h('dd', { title: value }, value)]),
  );
}

import type { EditorView } from '../../src/protocol/views';
import type { Context } from '../context';
import { fill, h } from '../dom';
import { plain } from '../format';
import { icon } from '../icons';
import { t } from '../l10n';
import { linkButton } from '../ui';

type Problem = EditorView['model']['problems'][number];

/** How many causes are listed. */
const listedCauses = 100;

/** How many nodes of one problem are named; the layer table marks all of them. */
const namedNodes = 24;

/** Why a model cannot be quantized, one entry for all nodes that share a cause. */
export class ProblemsView {
  readonly element = h('div', { class: 'problems-view', tabIndex: 0, role: 'region', aria: { label: t('Problems') } });

  constructor(private readonly context: Context) {}

  render(view: EditorView): void {
    const { problems } = view.model;
    const groups = new Map<string, Problem[]>();
    for (const problem of problems) {
      const cause = `${problem.operator}\n${problem.message}\n${problem.remedy}`;
      const group = groups.get(cause);
      if (group === undefined) groups.set(cause, [problem]);
      else group.push(problem);
    }
    const byName = new Map(view.model.layers.map((layer) => [layer.name, layer.id]));
    fill(
      this.element,
      h('h2', {}, t('Why this model cannot be quantized yet')),
      h(
        'p',
        { class: 'muted' },
        t('You can browse the model as it is. To quantize it, apply these remedies to the model or its export.'),
      ),
      h(
        'ul',
        { class: 'problem-list' },
        ...[...groups.values()].slice(0, listedCauses).map((group) => this.entry(group, byName)),
      ),
      groups.size > listedCauses &&
        h(
          'p',
          { class: 'muted' },
          t('and {0} more; the layer table marks all of them', plain(groups.size - listedCauses, 0)),
        ),
    );
  }

  private entry(group: readonly Problem[], byName: ReadonlyMap<string, number>): HTMLElement {
    const { operator, message, remedy } = group[0];
    const nodes = group.slice(0, namedNodes).map((problem) => {
      const id = byName.get(problem.node);
      if (id === undefined) return h('span', { class: 'node-name' }, problem.node);
      return linkButton(problem.node, () => this.context.store.update({ selected: id, tab: 'layers', filter: '' }), {
        class: 'link-button node-name',
      });
    });
    return h(
      'li',
      { class: 'problem' },
      h(
        'div',
        { class: 'problem-head' },
        icon('error'),
        h('strong', {}, operator),
        h('span', { class: 'count-badge', title: t('{0} nodes', group.length) }, plain(group.length, 0)),
      ),
      h('p', {}, message),
      remedy !== '' && h('p', { class: 'remedy' }, h('span', { class: 'remedy-label' }, t('Remedy')), ' ', remedy),
      h(
        'div',
        { class: 'problem-nodes' },
        ...nodes,
        group.length > namedNodes &&
          h('span', { class: 'muted' }, t('and {0} more', plain(group.length - namedNodes, 0))),
      ),
    );
  }
}

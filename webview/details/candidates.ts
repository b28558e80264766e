import type { CandidateView } from '../../src/protocol/views';
import { bitsBadge } from '../badges';
import { h } from '../dom';
import { plain } from '../format';
import { icon } from '../icons';
import { t } from '../l10n';

/**
 * The candidate bitwidths of a feature map with their entropy score, the chosen one marked.
 *
 * @param lambda that decided; null where something else did, e.g. memory or a person
 */
export function candidatesTable(
  title: string,
  candidates: readonly CandidateView[],
  chosen: number,
  lambda: number | null,
): HTMLElement {
  const best = candidates.reduce((a, b) => (b.score > a.score ? b : a));
  const head = (label: string, description: string): HTMLElement =>
    h('th', { title: description, class: 'number' }, label);
  const number = (value: number, decimals: number): HTMLElement => h('td', { class: 'number' }, plain(value, decimals));
  const reason = best.bits === chosen && lambda !== null ? won(best, candidates, lambda) : null;
  return h(
    'div',
    { class: 'candidates' },
    h('h3', {}, title),
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', {}, t('Bits')),
          head('H', t('Entropy of the codes, in bits')),
          head('Ω', t('Share of the entropy lost against 8 bits')),
          head('Φ', t('Share of the network’s BitOPs saved')),
          head('S', t('Score −λ·Ω + (1−λ)·Φ / largest Φ')),
        ),
      ),
      h(
        'tbody',
        {},
        ...candidates.map((candidate) =>
          h(
            'tr',
            { class: candidate.bits === chosen ? 'chosen' : '' },
            h(
              'td',
              {},
              bitsBadge(candidate.bits),
              candidate.bits === chosen &&
                h('span', { class: 'chosen-mark', role: 'img', aria: { label: t('chosen') } }, icon('check')),
            ),
            number(candidate.entropy, 2),
            number(candidate.omega, 3),
            number(candidate.phi, 4),
            number(candidate.score, 4),
          ),
        ),
      ),
    ),
    reason !== null && h('p', { class: 'muted' }, reason),
  );
}

/** Why the best score is the best: what its bits save against what they lose. */
function won(best: CandidateView, candidates: readonly CandidateView[], lambda: number): string {
  const next = candidates
    .filter((c) => c !== best)
    .reduce<CandidateView | null>((a, b) => (a === null || b.score > a.score ? b : a), null);
  if (next === null) return t('{0} bits score highest.', best.bits);
  // With the digits of the table, so that it is the difference that people see there.
  const margin = plain(best.score - next.score, 4);
  if (best.bits < next.bits)
    return t(
      '{0} bits win over {1} by {2}: at λ = {3} the additional BitOPs saved outweigh the entropy lost.',
      best.bits,
      next.bits,
      margin,
      String(lambda),
    );
  return t(
    '{0} bits win over {1} by {2}: at λ = {3} the entropy that {1} bits lose outweighs the BitOPs they save.',
    best.bits,
    next.bits,
    margin,
    String(lambda),
  );
}

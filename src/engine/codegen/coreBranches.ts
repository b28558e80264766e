import type { CoreKind } from './runtimeParts';

type Branch = { readonly keep: boolean | null; taken: boolean };

/**
 * A text without the branches that the preprocessor would leave out on all cores of a kind. Only conditions on
 * `QMCU_DSP`, `QMCU_MVE` and `QMCU_PLAIN` alone are evaluated; all others stay.
 */
export function withoutOthers(text: string, kind: CoreKind): string {
  const out: string[] = [];
  const stack: Branch[] = [];
  const alive = (): boolean => stack.every((b) => b.keep !== false);
  for (const line of text.split('\n')) {
    const [, directive, condition = ''] = /^#\s*(if|ifdef|ifndef|elif|else|endif)\b\s*(.*)$/.exec(line) ?? [];
    if (directive === undefined) {
      if (alive()) out.push(line);
      continue;
    }
    if (directive.startsWith('if')) {
      const value = directive === 'if' ? valueOf(condition, kind) : null;
      if (value === null && alive()) out.push(line);
      stack.push({ keep: value, taken: value === true });
      continue;
    }
    const top = stack[stack.length - 1];
    if (top.keep === null) {
      if (alive()) out.push(line);
    } else if (directive !== 'endif') {
      const value = directive === 'else' ? true : valueOf(condition, kind);
      if (value === null) throw new Error(`'${line}' after a condition on the kind of core.`);
      stack[stack.length - 1] = { keep: !top.taken && value, taken: top.taken || value };
    }
    if (directive === 'endif') stack.pop();
  }
  return out
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+/, '');
}

/** Value of a condition; null where it depends on more than the kind of core. */
function valueOf(condition: string, kind: CoreKind): boolean | null {
  const terms = condition
    .replace(/\/\*.*\*\//, '')
    .trim()
    .split(/\s*&&\s*/);
  const values = terms.map((term) => {
    const [, not, name] = /^(!?)QMCU_(DSP|MVE|PLAIN)$/.exec(term) ?? [];
    return name === undefined ? null : (name === kind.toUpperCase()) === (not === '');
  });
  if (values.includes(false)) return false;
  return values.includes(null) ? null : true;
}

/**
 * The page's texts. Messages are written in English where they are used; the host may hand over translations, keyed by
 * the English message, as JSON in `<html data-l10n="…">`, the same keys as VS Code's l10n bundles.
 */
let table: Readonly<Record<string, string>> | undefined;

function translations(): Readonly<Record<string, string>> {
  if (table === undefined) {
    table = {};
    const json = document.documentElement.dataset['l10n'];
    if (json !== undefined && json !== '') {
      try {
        table = JSON.parse(json) as Record<string, string>;
      } catch {
        // A broken bundle must not cost the page: English remains.
      }
    }
  }
  return table;
}

/**
 * The message in the user's language, with {0}, {1} … replaced. Arguments are inserted unchanged and never looked up.
 */
export function t(message: string, ...args: readonly (string | number)[]): string {
  const own = Object.hasOwn(translations(), message) ? translations()[message] : undefined;
  return (own ?? message).replace(/\{(\d+)\}/g, (whole, index: string) => {
    const value = args[Number(index)];
    return value === undefined ? whole : String(value);
  });
}

import * as vscode from 'vscode';
import { formatBytes } from '../format';
import type { PreviewDocuments } from '../previewDocuments';

/** A file that would be written, changed or removed. */
export interface FileChange {
  /** As the user knows it, relative to the project. */
  readonly label: string;
  readonly file: vscode.Uri;
  /** Whether something is there now, to compare with. */
  readonly exists: boolean;
  /** Text afterwards; undefined: the file is deleted. */
  readonly after: string | undefined;
  /** A change that the user decides about. */
  readonly choice?: Choice;
}

/** A change that is made or not. */
export interface Choice {
  readonly id: string;
  /** What currently happens, in words. */
  readonly yes: string;
  readonly no: string;
  readonly initially: boolean;
}

/** Something that the changes depend on and that can be set otherwise: one row. */
export interface Setting {
  readonly id: string;
  readonly label: string;
  readonly description: string;
}

/** The changes are to be made with these choices, or worked out again with another setting. */
export type Confirmation = { readonly taken: ReadonlySet<string> } | { readonly setting: string };

interface Row extends vscode.QuickPickItem {
  readonly change?: FileChange;
  readonly setting?: Setting;
}

/**
 * Shows everything that would change, before it does: a list of all files with their sizes, the diff of those that are
 * there already, and each choice that is the user's. Selecting a file shows its diff, selecting a choice turns it over,
 * the first row does it.
 *
 * @param go title of the first row
 * @param notes what else is to be known, one row each
 * @returns undefined: nothing is to be changed
 */
export async function confirmChanges(
  title: string,
  go: string,
  changes: readonly FileChange[],
  notes: readonly string[],
  documents: PreviewDocuments,
  settings: readonly Setting[] = [],
): Promise<Confirmation | undefined> {
  documents.begin();
  const taken = new Set(changes.flatMap(({ choice }) => (choice?.initially ? [choice.id] : [])));
  const diffs = new Map(changes.map((change) => [change, diffOf(change, documents)]));
  const existing = changes.filter((change) => change.exists && change.after !== undefined);
  if (existing.length > 0)
    await showDiffs(
      title,
      existing.map((change) => diffs.get(change)!),
    );

  const all: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('diff-multiple'),
    tooltip: vscode.l10n.t('Show All Changes'),
  };
  const one: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('diff'),
    tooltip: vscode.l10n.t('Show This Change'),
  };
  const input = vscode.window.createQuickPick<Row>();
  const first: Row = { label: `$(check) ${go}`, description: countText(changes), alwaysShow: true };
  const fill = (): void => {
    const rows = changes.map((change) => rowOf(change, taken, one));
    input.items = [
      first,
      ...settings.map((setting): Row => ({
        label: `$(settings) ${setting.label}`,
        description: setting.description,
        setting,
      })),
      { label: vscode.l10n.t('What changes'), kind: vscode.QuickPickItemKind.Separator },
      ...rows,
      ...notes.map((note): Row => ({ label: `$(info) ${note}` })),
    ];
  };
  try {
    return await new Promise((resolve) => {
      input.title = title;
      input.placeholder = vscode.l10n.t('Nothing has been written yet. Select a file to see its change.');
      input.ignoreFocusOut = true;
      input.matchOnDescription = true;
      input.keepScrollPosition = true;
      input.buttons = [all];
      fill();
      input.onDidTriggerButton((button) => {
        if (button === all) void showDiffs(title, [...diffs.values()]);
      });
      input.onDidTriggerItemButton(({ item }) => {
        if (item.change) void showDiff(item.change, diffs.get(item.change)!);
      });
      input.onDidAccept(() => {
        const row = input.selectedItems[0] ?? input.activeItems[0];
        if (row === first) {
          resolve({ taken });
        } else if (row?.setting) {
          resolve({ setting: row.setting.id });
        } else if (row?.change?.choice) {
          const { id } = row.change.choice;
          if (!taken.delete(id)) taken.add(id);
          const at = input.items.indexOf(row);
          fill();
          input.activeItems = [input.items[at]];
        } else if (row?.change) {
          void showDiff(row.change, diffs.get(row.change)!);
        }
      });
      input.onDidHide(() => resolve(undefined));
      input.show();
    });
  } finally {
    input.dispose();
  }
}

interface Diff {
  readonly file: vscode.Uri;
  readonly before: vscode.Uri;
  readonly after: vscode.Uri;
}

function diffOf({ file, exists, after }: FileChange, documents: PreviewDocuments): Diff {
  const empty = (): vscode.Uri => documents.add(file.with({ path: `${file.path}.none` }), '');
  return { file, before: exists ? file : empty(), after: after === undefined ? empty() : documents.add(file, after) };
}

async function showDiffs(title: string, diffs: readonly Diff[]): Promise<void> {
  await vscode.commands.executeCommand(
    'vscode.changes',
    title,
    diffs.map(({ file, before, after }) => [file, before, after]),
  );
}

async function showDiff(change: FileChange, { before, after }: Diff): Promise<void> {
  await vscode.commands.executeCommand('vscode.diff', before, after, vscode.l10n.t('{0}: now ↔ after', change.label), {
    preview: true,
    preserveFocus: true,
  });
}

function rowOf(change: FileChange, taken: ReadonlySet<string>, show: vscode.QuickInputButton): Row {
  const { label, exists, after, choice } = change;
  const size = after === undefined ? '' : formatBytes(Buffer.byteLength(after));
  const row = (icon: string, description: string, detail?: string): Row => ({
    label: `$(${icon}) ${label}`,
    description,
    detail,
    buttons: [show],
    change,
  });
  if (choice)
    return taken.has(choice.id)
      ? row('pass', `${choice.yes}, ${size}`, vscode.l10n.t('Leave the file as it is'))
      : row('circle-slash', choice.no, vscode.l10n.t('Make the change'));
  if (after === undefined) return row('trash', vscode.l10n.t('removed'));
  return exists ? row('edit', vscode.l10n.t('changed, {0}', size)) : row('new-file', vscode.l10n.t('new, {0}', size));
}

function countText(changes: readonly FileChange[]): string {
  const own = changes.filter(({ choice }) => !choice);
  const count = (wanted: (change: FileChange) => boolean): number => own.filter(wanted).length;
  const bytes = own.reduce((sum, { after }) => sum + (after === undefined ? 0 : Buffer.byteLength(after)), 0);
  const parts: [number, (n: number) => string][] = [
    [count((c) => c.after !== undefined && !c.exists), (n) => vscode.l10n.t('{0} new', n)],
    [count((c) => c.after !== undefined && c.exists), (n) => vscode.l10n.t('{0} changed', n)],
    [count((c) => c.after === undefined), (n) => vscode.l10n.t('{0} removed', n)],
    [changes.length - own.length, (n) => vscode.l10n.t('{0} for you to choose', n)],
  ];
  return [...parts.filter(([n]) => n > 0).map(([n, text]) => text(n)), ...(bytes > 0 ? [formatBytes(bytes)] : [])].join(
    ', ',
  );
}

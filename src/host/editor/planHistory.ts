import * as vscode from 'vscode';
import { difference } from './difference';

/** Steps that can be taken back in the editor; the plan's own text editor keeps its own, longer history. */
const MAX_STEPS = 200;

/**
 * Changes to a plan's text made from the model's editor, one after the other. They are edits of the text document, so
 * its own Undo takes them back, too; the model's editor, which is not a text editor, undoes and redoes them from here
 * as long as nobody else has changed the text since.
 */
export class PlanHistory {
  private readonly undone: Step[] = [];
  private readonly done: Step[] = [];
  private last: Promise<unknown> = Promise.resolve();

  /** @param parameters the file next to the plan that holds its weights */
  constructor(
    private readonly plan: vscode.Uri,
    private readonly parameters: vscode.Uri,
  ) {}

  /** Replaces the text by what `change` makes of it. Changes wait for each other. */
  edit(change: (text: string) => Promise<string>): Promise<void> {
    return this.queue(async () => {
      const document = await vscode.workspace.openTextDocument(this.plan);
      const before = document.getText();
      const after = await change(before);
      // Written by somebody else since: the change was worked out for another text.
      if (document.getText() !== before) throw new Error(vscode.l10n.t('The plan has changed since. Try again.'));
      if (after === before) return;
      await write(document, after);
      this.remember({ before, after });
    });
  }

  /**
   * Remembers as one step what `work` writes into the plan's file itself, and its weights. An editor with unsaved
   * changes is an error: they would be lost.
   */
  replacedBy(work: () => Promise<void>): Promise<void> {
    return this.queue(async () => {
      const document = await vscode.workspace.openTextDocument(this.plan);
      if (document.isDirty) throw new Error(vscode.l10n.t('The plan has unsaved changes. Save them first.'));
      const before = document.getText();
      const weightsBefore = await read(this.parameters);
      await work();
      const after = new TextDecoder().decode(await vscode.workspace.fs.readFile(this.plan));
      if (after === before) return;
      const weightsAfter = await read(this.parameters);
      const weights =
        weightsBefore && weightsAfter && Buffer.compare(weightsBefore, weightsAfter) !== 0
          ? { before: weightsBefore, after: weightsAfter }
          : undefined;
      this.remember({ before, after, weights });
    });
  }

  /** Takes the last change back. @returns false when there is none, or the text is no longer what it made */
  undo(): Promise<boolean> {
    return this.step(this.done, this.undone, 'after', 'before');
  }

  redo(): Promise<boolean> {
    return this.step(this.undone, this.done, 'before', 'after');
  }

  private step(from: Step[], to: Step[], is: keyof Sides<string>, wanted: keyof Sides<string>): Promise<boolean> {
    return this.queue(async () => {
      const step = from[from.length - 1];
      if (!step) return false;
      const document = await vscode.workspace.openTextDocument(this.plan);
      if (document.getText() !== step[is]) return false;
      await this.writeWeights(step, is, wanted);
      await write(document, step[wanted]);
      from.pop();
      to.push(step);
      return true;
    });
  }

  /**
   * Before the text that names them. Weights that somebody else has written since stay as they are: the plan then says
   * that they are not its own.
   */
  private async writeWeights({ weights }: Step, is: keyof Sides<string>, wanted: keyof Sides<string>): Promise<void> {
    const now = weights && (await read(this.parameters));
    if (now && Buffer.compare(now, weights[is]) === 0)
      await vscode.workspace.fs.writeFile(this.parameters, weights[wanted]);
  }

  private remember(step: Step): void {
    this.done.push(step);
    if (this.done.length > MAX_STEPS) this.done.shift();
    this.undone.length = 0;
  }

  private queue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(() => {
      if (!vscode.workspace.isTrusted)
        throw new Error(vscode.l10n.t('Changing a plan needs a trusted workspace. Trust it, then try again.'));
      return work();
    });
    this.last = result.catch(() => undefined);
    return result;
  }
}

interface Sides<T> {
  readonly before: T;
  readonly after: T;
}

interface Step extends Sides<string> {
  /** Content of the parameter file, where the step wrote another one. */
  readonly weights?: Sides<Uint8Array>;
}

/** A file's bytes; undefined where there is none. */
async function read(file: vscode.Uri): Promise<Uint8Array | undefined> {
  return vscode.workspace.fs.readFile(file).then(
    (bytes) => bytes,
    () => undefined,
  );
}

/**
 * One edit of the lines that differ. A text that was saved is saved again, so that generating sees it; one that
 * somebody is typing in is left unsaved.
 */
async function write(document: vscode.TextDocument, text: string): Promise<void> {
  const wasDirty = document.isDirty;
  const { start, end, replacement } = difference(document.getText(), text);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(document.positionAt(start), document.positionAt(end)), replacement);
  if (!(await vscode.workspace.applyEdit(edit)))
    throw new Error(vscode.l10n.t('The plan cannot be edited: {0}', document.uri.fsPath));
  if (!wasDirty && !(await document.save()))
    throw new Error(vscode.l10n.t('The plan cannot be saved: {0}', document.uri.fsPath));
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import * as vscode from 'vscode';
import { Disposable } from './dispose';
import { isModel, planUriOf } from './planFiles';

/** Marks models in the explorer: `Q` where there is a plan, `!` where the model has changed since its plan was made. */
export class ModelDecorations extends Disposable implements vscode.FileDecorationProvider {
  private readonly changed = this.own(new vscode.EventEmitter<vscode.Uri | undefined>());
  readonly onDidChangeFileDecorations = this.changed.event;
  /** Digests by model, as of the size and time that the file had. */
  private readonly digests = new Map<string, { readonly version: string; readonly sha256: Promise<string> }>();

  constructor() {
    super();
    const watcher = this.own(vscode.workspace.createFileSystemWatcher('**/*.{onnx,ONNX,quantmcu.json}'));
    // A plan's name tells its model, but not how the model's extension is written: all marks are looked at again.
    const refresh = (): void => this.changed.fire(undefined);
    this.own(watcher.onDidChange(refresh));
    this.own(watcher.onDidCreate(refresh));
    this.own(watcher.onDidDelete(refresh));
  }

  async provideFileDecoration(uri: vscode.Uri): Promise<vscode.FileDecoration | undefined> {
    if (uri.scheme !== 'file' || !isModel(uri)) return undefined;
    const wanted = await plannedDigest(planUriOf(uri));
    if (wanted === undefined) return undefined;
    const found = await this.digest(uri).catch(() => undefined);
    if (found === undefined) return undefined;
    if (found === wanted) return new vscode.FileDecoration('Q', vscode.l10n.t('Quantized'));
    return new vscode.FileDecoration(
      '!',
      vscode.l10n.t('Changed since it was quantized'),
      new vscode.ThemeColor('list.warningForeground'),
    );
  }

  /** SHA-256 of a file; read again only when its size or time changes. */
  private async digest(uri: vscode.Uri): Promise<string> {
    const { size, mtime } = await vscode.workspace.fs.stat(uri);
    const key = uri.toString();
    const version = `${size} ${mtime}`;
    const known = this.digests.get(key);
    if (known?.version === version) return known.sha256;
    const sha256 = hash(uri.fsPath);
    this.digests.set(key, { version, sha256 });
    sha256.catch(() => this.digests.delete(key));
    return sha256;
  }
}

async function hash(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** The digest of the model that a plan was made for; undefined where there is no plan that can be read. */
async function plannedDigest(plan: vscode.Uri): Promise<string | undefined> {
  try {
    const { model } = JSON.parse(new TextDecoder().decode(await vscode.workspace.fs.readFile(plan))) as {
      model?: { sha256?: unknown };
    };
    return typeof model?.sha256 === 'string' ? model.sha256 : undefined;
  } catch {
    return undefined;
  }
}

export function registerDecorations(): vscode.Disposable {
  const decorations = new ModelDecorations();
  return vscode.Disposable.from(decorations, vscode.window.registerFileDecorationProvider(decorations));
}

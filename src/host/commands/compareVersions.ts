import { promises as fs } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { nameOf, planUriOf } from '../planFiles';
import type { Services } from '../services';
import { evaluatedImages } from './evaluate';
import { chooseModel } from './model';

/** What Git's file system takes in a URI's query. */
interface GitQuery {
  readonly path: string;
  readonly ref: string;
}

/**
 * Compares a model with an earlier version of it, the last commit or the one that the argument names, as texts side by
 * side: structure, shapes, statistics of weights, and, where the model has a plan, how well both do on its images.
 */
export async function compareVersions(services: Services, argument: unknown): Promise<void> {
  const title = vscode.l10n.t('Compare Versions of a Model');
  const earlier = argument instanceof vscode.Uri && argument.scheme === 'git' ? argument : undefined;
  const model = await chooseModel(earlier ? workingFile(earlier) : resourceOf(argument), title);
  if (!model) return;
  const { engine, memory, previews } = services;
  const before = earlier ?? committed(model);
  const bytes = await read(before);
  if (!bytes) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('{0} has no earlier version: no Git commit contains it.', nameOf(model)),
    );
    return;
  }
  // What a plan names is read only where it is trusted.
  const images = vscode.workspace.isTrusted
    ? { planPath: planUriOf(model).fsPath, imagesPath: evaluatedImages(memory, model) }
    : {};
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'quantmcu-version-'));
  try {
    const copy = path.join(folder, nameOf(model));
    await fs.writeFile(copy, bytes);
    const [old, now] = await Promise.all(
      [copy, model.fsPath].map((modelPath) => engine.run((e) => e.modelText({ modelPath, ...images }))),
    );
    previews.begin();
    const ref = refOf(before);
    await vscode.commands.executeCommand(
      'vscode.diff',
      previews.add(model.with({ path: `${model.path}.${ref}.txt` }), old),
      previews.add(model.with({ path: `${model.path}.txt` }), now),
      vscode.l10n.t('{0}: {1} ↔ now', nameOf(model), ref),
      { preview: true },
    );
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

/** A file of the source control view comes with more than its URI. */
function resourceOf(argument: unknown): unknown {
  const { resourceUri } = (argument ?? {}) as { readonly resourceUri?: unknown };
  return resourceUri instanceof vscode.Uri ? resourceUri : argument;
}

function committed(model: vscode.Uri): vscode.Uri {
  const query: GitQuery = { path: model.fsPath, ref: 'HEAD' };
  return model.with({ scheme: 'git', query: JSON.stringify(query) });
}

function queryOf(uri: vscode.Uri): Partial<GitQuery> {
  try {
    return JSON.parse(uri.query) as Partial<GitQuery>;
  } catch {
    return {};
  }
}

/** The file on disk that a version is of. */
function workingFile(version: vscode.Uri): vscode.Uri {
  return vscode.Uri.file(queryOf(version).path ?? version.fsPath);
}

function refOf(version: vscode.Uri): string {
  const { ref } = queryOf(version);
  // Git's own file system calls the index so.
  return ref === undefined || ref === '' || ref === '~' ? 'index' : /^[0-9a-f]{40}$/.test(ref) ? ref.slice(0, 8) : ref;
}

/** A version's bytes; undefined where there is none. */
async function read(version: vscode.Uri): Promise<Uint8Array | undefined> {
  await vscode.extensions.getExtension('vscode.git')?.activate();
  return vscode.workspace.fs.readFile(version).then(
    (bytes) => (bytes.length > 0 ? bytes : undefined),
    () => undefined,
  );
}

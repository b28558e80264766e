import * as path from 'node:path';
import * as vscode from 'vscode';
import type { GenerateRequest, GenerateSummary } from '../../protocol/engine';
import { formatBytes } from '../format';
import { showFailure } from '../log';
import { exists, nameOf, planUriOf } from '../planFiles';
import type { Services } from '../services';
import { pick, runSteps, type Choice } from '../steps';
import { showEdits } from './buildFiles';
import { findProjects } from './firmwareProjects';
import { chooseModel, requireTrust } from './model';

const MEMORY_KEY = 'generate.project';

/** Generates the C sources of a model's plan into a firmware project, without touching what is not ours. */
export async function generate(services: Services, argument: unknown): Promise<void> {
  const title = vscode.l10n.t('Generate Firmware Source');
  if (!requireTrust()) return;
  const model = await chooseModel(argument, title);
  if (!model) return;
  const plan = planUriOf(model);
  if (!(await exists(plan))) {
    const quantize = vscode.l10n.t('Quantize Model…');
    const answer = await vscode.window.showInformationMessage(vscode.l10n.t('{0} has no plan yet. Quantize it first.', nameOf(model)), quantize);
    if (answer === quantize) await vscode.commands.executeCommand('quantmcu.quantize', model);
    return;
  }
  const { engine, jobs, log, memory } = services;
  const project = await askProject(title, model, memory);
  if (!project) return;
  const layoutId = await askLayout(title, project, engine);
  if (layoutId === undefined) return;

  const action = vscode.l10n.t('Generate {0}', nameOf(model));
  const request = { planPath: plan.fsPath, projectPath: project.fsPath, layoutId };
  const run = (more: Partial<GenerateRequest>): Promise<GenerateSummary> => jobs.run(model, action, (options) =>
    engine.run((e) => e.generate({ ...request, ...more }), options));
  try {
    let summary = await run({ dryRun: true });
    const overwrite = summary.conflicts.length > 0 ? await confirmOverwrite(summary) : [];
    if (!overwrite) return;
    const editBuildFiles = summary.edits.length > 0 ? await confirmEdits(project, summary) : false;
    if (editBuildFiles === undefined) return;
    summary = await run({ overwrite, editBuildFiles });
    if (summary.conflicts.length > 0) throw new Error(vscode.l10n.t('Files in {0} changed in the meantime; nothing was written. Try again.', summary.folder));
    log.info([
      `${action}: wrote ${summary.written.length} files to ${summary.folder} (${summary.layout}); ${summary.unchanged.length} were up to date`,
      ...(editBuildFiles ? summary.edits.map((edit) => `Edited ${edit.path}`) : []), ...summary.instructions,
    ].join('\n'));
    void offerHeader(summary, log);
  } catch (error) {
    void showFailure(log, action, error);
  }
}

/** Asks for the firmware project; the one used last comes first. Undefined: the user left. */
export async function askProject(title: string, model: vscode.Uri, memory: vscode.Memento): Promise<vscode.Uri | undefined> {
  const last = memory.get<string>(`${MEMORY_KEY}:${model.toString()}`) ?? memory.get<string>(MEMORY_KEY);
  const kept = last !== undefined && (await exists(vscode.Uri.file(last))) ? [{ folder: last, kind: vscode.l10n.t('used last') }] : [];
  const found = (await findProjects()).filter(({ folder }) => folder !== kept[0]?.folder);
  const items = [...kept, ...found].map(({ folder, kind }): Choice<string | undefined> => ({
    label: vscode.workspace.asRelativePath(folder), description: kind, value: folder,
  }));
  const browse: Choice<string | undefined> = { label: vscode.l10n.t('Browse…'), value: undefined };
  let project: string | undefined;
  const done = await runSteps(title, [async (place) => {
    while (project === undefined) {
      project = await pick(place, vscode.l10n.t('Which firmware project do the sources go into?'), [...items, browse], items[0]);
      project ??= (await vscode.window.showOpenDialog({
        canSelectFolders: true, canSelectFiles: false, defaultUri: vscode.Uri.joinPath(model, '..'),
        title: vscode.l10n.t('Firmware project'), openLabel: vscode.l10n.t('Use Folder'),
      }))?.[0]?.fsPath;
    }
  }]);
  if (!done || project === undefined) return undefined;
  await memory.update(`${MEMORY_KEY}:${model.toString()}`, project);
  await memory.update(MEMORY_KEY, project);
  return vscode.Uri.file(project);
}

/** Asks what kind of project it is, what was found first; not where only one kind fits. Undefined: the user left. */
async function askLayout(title: string, project: vscode.Uri, engine: Services['engine']): Promise<string | undefined> {
  const found = await engine.ask((e) => e.layouts(project.fsPath));
  const items = found.map(({ id, title: label, evidence }): Choice<string> => ({ label, description: evidence, value: id }));
  let chosen = items[0].value;
  if (items.length === 1) return chosen;
  const done = await runSteps(title, [async (place) => { chosen = await pick(place, vscode.l10n.t('How does the project take a library?'), items, items[0]); }]);
  return done ? chosen : undefined;
}

/** Shows what build files would get and asks; false: leave them, undefined: write nothing at all. */
async function confirmEdits(project: vscode.Uri, { edits, instructions }: GenerateSummary): Promise<boolean | undefined> {
  await showEdits(project.fsPath, edits);
  const edit = vscode.l10n.t('Edit and Generate');
  const leave = vscode.l10n.t('Generate Only');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('Add the sources to {0}, in a marked block?', edits.map(({ path: file }) => file).join(', ')), { modal: true, detail: instructions.join('\n') }, edit, leave);
  return answer === undefined ? undefined : answer === edit;
}

/** Asks about files that were edited or are not ours; gives the paths that may be overwritten, undefined if nothing is to be written. */
async function confirmOverwrite({ folder, conflicts }: GenerateSummary): Promise<string[] | undefined> {
  const overwrite = vscode.l10n.t('Overwrite');
  const compare = vscode.l10n.t('Compare');
  const lines = conflicts.map(({ path: file, reason }) => `${file} (${reason === 'edited' ? vscode.l10n.t('edited since it was generated') : vscode.l10n.t('not generated by QuantMCU')})`);
  const fixed = conflicts.some(({ replaceable }) => !replaceable);
  const detail = [...lines, '', fixed ? vscode.l10n.t('Some of them are links or folders: move them away first.') : vscode.l10n.t('Nothing has been written yet.')].join('\n');
  const answer = await vscode.window.showWarningMessage(vscode.l10n.t('{0} files are in the way in {1}.', conflicts.length, vscode.workspace.asRelativePath(folder)),
    { modal: true, detail }, ...(fixed ? [compare] : [compare, overwrite]));
  if (answer === overwrite) return conflicts.map(({ path: file }) => file);
  if (answer !== compare) return undefined;
  for (const { path: file, text, replaceable } of conflicts) {
    if (!replaceable) continue;
    const proposed = await vscode.workspace.openTextDocument({ content: text, language: 'c' });
    await vscode.commands.executeCommand('vscode.diff', vscode.Uri.joinPath(vscode.Uri.file(folder), file), proposed.uri,
      vscode.l10n.t('{0}: yours ↔ generated', file), { preview: false });
  }
  return undefined;
}

async function offerHeader(summary: GenerateSummary, log: vscode.LogOutputChannel): Promise<void> {
  const { name, folder, written, unchanged, instructions, arenaBytes, weightBytes } = summary;
  const header = [...written, ...unchanged].find((file) => path.posix.basename(file) === `${name}.h`);
  const open = vscode.l10n.t('Open Header');
  const show = vscode.l10n.t('What to Add to the Build');
  const message = vscode.l10n.t('{0}: {1} files written to {2}, arena {3}, weights {4}.', name, written.length, vscode.workspace.asRelativePath(folder),
    formatBytes(arenaBytes), formatBytes(weightBytes));
  const answer = await vscode.window.showInformationMessage(message, ...(header === undefined ? [] : [open]), ...(instructions.length > 0 ? [show] : []));
  if (answer === show) log.show();
  if (header !== undefined && answer === open) await vscode.window.showTextDocument(vscode.Uri.joinPath(vscode.Uri.file(folder), header));
}

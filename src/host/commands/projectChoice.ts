import * as vscode from 'vscode';
import { exists } from '../planFiles';
import type { Services } from '../services';
import { pick, runSteps, type Choice } from '../steps';
import { findProjects } from './firmwareProjects';
import { lastProject, projectOf } from './projectMemory';

/**
 * The project that needs no question: the one that the model's sources went to last, or the only one in the workspace.
 */
export async function likelyProject(model: vscode.Uri, memory: vscode.Memento): Promise<vscode.Uri | undefined> {
  const last = projectOf(memory, model);
  if (last !== undefined && (await exists(vscode.Uri.file(last)))) return vscode.Uri.file(last);
  const found = (await findProjects()).filter(({ isMarked }) => isMarked);
  return found.length === 1 ? vscode.Uri.file(found[0].folder) : undefined;
}

/** Asks for the firmware project; the one used last comes first. Undefined: the user left. */
export async function askProject(
  title: string,
  model: vscode.Uri,
  memory: vscode.Memento,
): Promise<vscode.Uri | undefined> {
  const last = projectOf(memory, model) ?? lastProject(memory);
  const kept =
    last !== undefined && (await exists(vscode.Uri.file(last)))
      ? [{ folder: last, kind: vscode.l10n.t('used last') }]
      : [];
  const found = (await findProjects()).filter(({ folder }) => folder !== kept[0]?.folder);
  const items = [...kept, ...found].map(({ folder, kind }): Choice<string | undefined> => ({
    label: vscode.workspace.asRelativePath(folder),
    description: kind,
    value: folder,
  }));
  const browse: Choice<string | undefined> = { label: vscode.l10n.t('Browse…'), value: undefined };
  let project: string | undefined;
  const done = await runSteps(title, [
    async (place) => {
      while (project === undefined) {
        project = await pick(
          place,
          vscode.l10n.t('Which firmware project do the sources go into?'),
          [...items, browse],
          items[0],
        );
        project ??= (
          await vscode.window.showOpenDialog({
            canSelectFolders: true,
            canSelectFiles: false,
            defaultUri: vscode.Uri.joinPath(model, '..'),
            title: vscode.l10n.t('Firmware project'),
            openLabel: vscode.l10n.t('Use Folder'),
          })
        )?.[0]?.fsPath;
      }
    },
  ]);
  return !done || project === undefined ? undefined : vscode.Uri.file(project);
}

/** Asks what kind of project it is, what was found first. Undefined: the user left. */
export async function askLayout(
  title: string,
  project: vscode.Uri,
  engine: Services['engine'],
): Promise<string | undefined> {
  const found = await engine.ask((e) => e.layouts(project.fsPath));
  const items = found.map(({ id, title: label, evidence }): Choice<string> => ({
    label,
    description: evidence,
    value: id,
  }));
  let chosen = items[0].value;
  const done = await runSteps(title, [
    async (place) => {
      chosen = await pick(place, vscode.l10n.t('How does the project include libraries?'), items, items[0]);
    },
  ]);
  return done ? chosen : undefined;
}

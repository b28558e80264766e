import * as vscode from 'vscode';
import { tickStep } from '../firstSteps';
import type { Camera } from '../../engine/calibration/camera';
import type { GenerateRequest, GenerateSummary } from '../../protocol/engine';
import { showFailure } from '../log';
import { exists, nameOf } from '../planFiles';
import type { Services } from '../services';
import { optimizeSetting } from '../settings';
import { askCamera, cameraText } from './cameraChoice';
import { confirmChanges, type FileChange, type Setting } from './changePreview';
import { answersOf, rememberAnswers, type GenerateAnswers } from './generateAnswers';
import { changesOf, choicesOf, notesOf, requestFor } from './generateChanges';
import { tellGenerated } from './generated';
import { chooseTrustedPlan } from './plan';
import { askLayout, askProject, likelyProject } from './projectChoice';
import { rememberProject } from './projectMemory';

/** Where sources go. */
interface Place {
  readonly project: vscode.Uri;
  /** Undefined: the kind of project that is found. */
  readonly layoutId: string | undefined;
  /** Whose pictures are the input. */
  readonly camera: Camera | undefined;
}

/**
 * Generates the C sources of a model's plan into a firmware project: shows what would change, then writes it, without
 * touching what is not ours.
 */
export async function generate(services: Services, argument: unknown): Promise<void> {
  await generateWith(services, argument, () => undefined);
}

/** The same with the answers given last; asks only about what was not there then. */
export async function generateAgain(services: Services, argument: unknown): Promise<void> {
  await generateWith(services, argument, (model) => answersOf(services.memory, model));
}

/** The same with a reader for a camera's pictures, which is asked about. */
export async function chooseCamera(services: Services, argument: unknown): Promise<void> {
  await generateWith(
    services,
    argument,
    () => undefined,
    (title, last) => askCamera(title, last),
  );
}

/** @param asked gives the camera where another one than last is wanted; undefined: the user left */
async function generateWith(
  services: Services,
  argument: unknown,
  remembered: (model: vscode.Uri) => GenerateAnswers | undefined,
  asked?: (title: string, last: Camera | undefined) => Promise<Camera | null | undefined>,
): Promise<void> {
  const title = vscode.l10n.t('Generate Firmware Source');
  const chosen = await chooseTrustedPlan(argument, title);
  if (!chosen) return;
  const { model, plan } = chosen;
  const { engine, jobs, log, memory } = services;
  const action = vscode.l10n.t('Generate {0}', nameOf(model));
  const run = ({ project, ...place }: Place, more: Partial<GenerateRequest>): Promise<GenerateSummary> => {
    const request = { planPath: plan.fsPath, projectPath: project.fsPath, ...place, optimize: optimizeSetting(model) };
    return jobs.run(model, action, (options) => engine.run((e) => e.generate({ ...request, ...more }), options));
  };
  const answers = remembered(model);
  try {
    let place = await firstPlace(title, model, memory, answers);
    if (place && asked) place = withCamera(place, await asked(title, place.camera));
    while (place) {
      const proposal = await run(place, { dryRun: true });
      const changes = changesOf(place.project, proposal);
      if (changes.length === 0 && notReplaceable(proposal) === 0) {
        log.info(`${action}: nothing to do in ${proposal.folder}`);
        await remember(services, model, place, proposal, changes, new Set());
        void tellGenerated(services, model, place.project, proposal);
        return;
      }
      const answer = answeredBefore(answers, changes) ?? (await confirm(services, place, proposal, changes));
      if (answer === undefined) return;
      if (typeof answer === 'string') {
        place = await changePlace(title, model, services, place, answer);
        continue;
      }
      const summary = await run(place, requestFor(proposal, answer));
      if (summary.conflicts.length > 0)
        throw new Error(
          vscode.l10n.t('Files in {0} changed while this was open, so nothing was written. Try again.', summary.folder),
        );
      await remember(services, model, place, summary, changes, answer);
      tickStep('generate');
      log.info(writtenText(action, summary));
      void tellGenerated(services, model, place.project, summary);
      return;
    }
  } catch (error) {
    void showFailure(log, action, error);
  }
}

const notReplaceable = ({ conflicts }: GenerateSummary): number =>
  conflicts.filter(({ replaceable }) => !replaceable).length;

/** Where the sources went last, or where nobody needs to be asked; else the user is. Undefined: the user left. */
async function firstPlace(
  title: string,
  model: vscode.Uri,
  memory: vscode.Memento,
  answers: GenerateAnswers | undefined,
): Promise<Place | undefined> {
  if (answers && (await exists(vscode.Uri.file(answers.project))))
    return { project: vscode.Uri.file(answers.project), layoutId: answers.layoutId, camera: answers.camera };
  const likely = await likelyProject(model, memory);
  if (likely) {
    const last = answersOf(memory, model);
    const layoutId = last?.project === likely.fsPath ? last.layoutId : undefined;
    return { project: likely, layoutId, camera: last?.camera };
  }
  const project = await askProject(title, model, memory);
  return project && { project, layoutId: undefined, camera: answersOf(memory, model)?.camera };
}

/** @param camera null: none; undefined: the user left */
function withCamera(place: Place, camera: Camera | null | undefined): Place | undefined {
  return camera === undefined ? undefined : { ...place, camera: camera ?? undefined };
}

/** Another project, kind of project, or camera. Undefined: the user left. */
async function changePlace(
  title: string,
  model: vscode.Uri,
  { engine, memory }: Services,
  place: Place,
  setting: string,
): Promise<Place | undefined> {
  if (setting === 'project') {
    const project = await askProject(title, model, memory);
    return project && { ...place, project, layoutId: undefined };
  }
  if (setting === 'camera') return withCamera(place, await askCamera(title, place.camera));
  const layoutId = await askLayout(title, place.project, engine);
  return layoutId === undefined ? undefined : { ...place, layoutId };
}

/** The choices of last time where they answer all that is to be chosen now. */
function answeredBefore(
  answers: GenerateAnswers | undefined,
  changes: readonly FileChange[],
): ReadonlySet<string> | undefined {
  if (!answers) return undefined;
  const asked = new Set([...answers.taken, ...answers.left]);
  return choicesOf(changes).every((id) => asked.has(id)) ? new Set(answers.taken) : undefined;
}

/** The choices that were taken, or the id of what is to be set otherwise. Undefined: the user left. */
async function confirm(
  { previews }: Services,
  { project, camera }: Place,
  proposal: GenerateSummary,
  changes: readonly FileChange[],
): Promise<ReadonlySet<string> | string | undefined> {
  const change = vscode.l10n.t('Choose another');
  const settings: Setting[] = [
    {
      id: 'project',
      label: vscode.l10n.t('Firmware project: {0}', vscode.workspace.asRelativePath(project)),
      description: change,
    },
    { id: 'layout', label: vscode.l10n.t('Kind of project: {0}', proposal.layout), description: change },
    ...(proposal.takesPictures
      ? [{ id: 'camera', label: vscode.l10n.t('Camera: {0}', cameraText(camera)), description: change }]
      : []),
  ];
  const answer = await confirmChanges(
    vscode.l10n.t('{0} → {1} ({2})', proposal.name, vscode.workspace.asRelativePath(proposal.folder), proposal.layout),
    vscode.l10n.t('Generate'),
    changes,
    notesOf(proposal),
    previews,
    settings,
  );
  return answer && ('taken' in answer ? answer.taken : answer.setting);
}

async function remember(
  { memory }: Services,
  model: vscode.Uri,
  { project, camera }: Place,
  { layoutId }: GenerateSummary,
  changes: readonly FileChange[],
  taken: ReadonlySet<string>,
): Promise<void> {
  await rememberProject(memory, model, project.fsPath);
  const before = answersOf(memory, model);
  // What was answered earlier and is done now, e.g. a block in a build file, may have to be done again.
  const earlier = before?.project === project.fsPath && before.layoutId === layoutId ? before : undefined;
  const asked = choicesOf(changes);
  const isOpen = (id: string): boolean => !asked.includes(id);
  await rememberAnswers(memory, model, {
    project: project.fsPath,
    layoutId,
    ...(camera ? { camera } : {}),
    taken: [...(earlier?.taken ?? []).filter(isOpen), ...asked.filter((id) => taken.has(id))],
    left: [...(earlier?.left ?? []).filter(isOpen), ...asked.filter((id) => !taken.has(id))],
  });
}

function writtenText(
  action: string,
  { written, unchanged, kept, folder, layout, instructions }: GenerateSummary,
): string {
  return [
    `${action}: wrote ${written.length} files to ${folder} (${layout}); ${unchanged.length} were up to date`,
    ...kept.map((file) => `Left as it is: ${file}`),
    ...instructions,
  ].join('\n');
}

import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Core } from '../../engine/targets/types';
import { coreName, OWN_BOARD_ID } from '../../protocol/boards';
import type { TargetView } from '../../protocol/views';
import { coreOf } from '../cores';
import { formatBytes } from '../format';
import { exists } from '../planFiles';
import { customBoards, SECTION } from '../settings';
import { pick, runSteps, type Choice, type Step } from '../steps';
import { OwnBoard } from './ownBoard';
import { findSampleFolders } from './sampleFolders';

/** A board as chosen: one of the engine's table, or figures of the user's own. */
export interface Board {
  readonly id: string;
  readonly name: string;
  readonly sramBytes: number;
  readonly flashBytes: number;
  /** Of a board of the user's own. */
  readonly core?: Core;
}

export interface QuantizeChoices {
  readonly board: Board;
  /** SRAM and flash that were given for this run: they come before those of the settings and of the board. */
  readonly limits?: { readonly sramBytes?: number; readonly flashBytes?: number };
  readonly imagesPath: string;
  /** Preset name or path of a JSON file. */
  readonly preprocess: string;
}

const MEMORY_KEY = 'quantize.choices';

/**
 * The choices made last for this model; for a new one the board and preprocessing that the workspace used last, but not
 * the images.
 */
function remembered(memory: vscode.Memento, model: vscode.Uri): Partial<QuantizeChoices> {
  const own = memory.get<QuantizeChoices>(`${MEMORY_KEY}:${model.toString()}`);
  if (own) return own;
  const { board, preprocess } = memory.get<Partial<QuantizeChoices>>(MEMORY_KEY) ?? {};
  return { board, preprocess };
}

async function remember(memory: vscode.Memento, model: vscode.Uri, choices: QuantizeChoices): Promise<void> {
  await memory.update(`${MEMORY_KEY}:${model.toString()}`, choices);
  await memory.update(MEMORY_KEY, choices);
}

/** Asks for board, images and preprocessing; what was chosen last is what Enter takes. Undefined: the user left. */
export async function askQuantizeChoices(
  model: vscode.Uri,
  title: string,
  targets: readonly TargetView[],
  memory: vscode.Memento,
): Promise<QuantizeChoices | undefined> {
  const last = remembered(memory, model);
  const preset = vscode.workspace.getConfiguration(SECTION, model).get<string>('preprocess');
  let { board, imagesPath } = last;
  let preprocess = last.preprocess ?? preset;
  let own: OwnBoard | undefined;
  const askBoard: Step = async (place) => {
    const chosen = await pickBoard(place, model, targets, own?.board ?? board);
    if (chosen === 'other') own ??= new OwnBoard(board);
    else [board, own] = [chosen, undefined];
  };
  const askImages: Step = async (place) => {
    imagesPath = await askImagesPath(place, model, imagesPath);
  };
  const askPreprocess: Step = async (place) => {
    preprocess = await askPreprocessing(place, model, preprocess);
  };

  if (!(await runSteps(title, () => [askBoard, ...(own?.steps ?? []), askImages, askPreprocess]))) return undefined;
  const choices = { board: own?.board ?? board!, limits: own?.board, imagesPath: imagesPath!, preprocess: preprocess! };
  await remember(memory, model, choices);
  return choices;
}

/** A board of the table or of the settings, or 'other'; `last` is what Enter takes. */
function pickBoard(
  place: Parameters<Step>[0],
  model: vscode.Uri,
  targets: readonly TargetView[],
  last: Board | undefined,
): Promise<Board | 'other'> {
  const choice = ({ id, name, sramBytes, flashBytes, core }: Board, description: string): Choice<Board | 'other'> => ({
    label: name,
    description,
    detail: vscode.l10n.t('{0} SRAM, {1} flash', formatBytes(sramBytes), formatBytes(flashBytes)),
    value: { id, name, sramBytes, flashBytes, core },
  });
  const items = [
    ...targets.map((target) =>
      choice({ ...target, core: coreOf(target.core) }, `${coreName(target.core)}, ${target.clockMHz} MHz`),
    ),
    ...customBoards(model).map((board) => choice({ ...board, id: OWN_BOARD_ID }, vscode.l10n.t('from your settings'))),
  ];
  const other: Choice<Board | 'other'> = {
    label: vscode.l10n.t('Other…'),
    detail: vscode.l10n.t('Give the SRAM, flash and core of your board'),
    value: 'other',
  };
  const known = items.find(({ value }) => value !== 'other' && value.id === last?.id && value.name === last.name);
  return pick(
    place,
    vscode.l10n.t('Which board is the model for?'),
    [...items, other],
    known ?? (last?.id === OWN_BOARD_ID ? other : undefined),
  );
}

/**
 * Asks for a folder of images; `question` where it is not the one for calibration. @throws {vscode.CancellationError}
 * on Escape
 */
export async function askImagesPath(
  place: Parameters<Step>[0],
  model: vscode.Uri,
  last: string | undefined,
  question?: string,
): Promise<string> {
  const kept = last !== undefined && (await exists(vscode.Uri.file(last))) ? [last] : [];
  const found = await findSampleFolders(model);
  const items = [...new Set([...kept, ...found.map(({ folder }) => folder)])].map(
    (folder): Choice<string | undefined> => {
      const files = found.find((other) => other.folder === folder)?.files;
      const about = [
        folder === last && vscode.l10n.t('used last'),
        files !== undefined && vscode.l10n.t('{0} files', files),
      ].filter((text) => text !== false);
      return { label: vscode.workspace.asRelativePath(folder), description: about.join(', '), value: folder };
    },
  );
  const browse: Choice<string | undefined> = { label: vscode.l10n.t('Browse…'), value: undefined };
  for (;;) {
    const chosen = await pick(
      place,
      question ?? vscode.l10n.t('Which folder has sample images like those that the camera will give?'),
      [...items, browse],
      items[0],
    );
    if (chosen !== undefined) return chosen;
    const opened = await vscode.window.showOpenDialog({
      canSelectFolders: true,
      canSelectFiles: false,
      defaultUri: vscode.Uri.joinPath(model, '..'),
      title: vscode.l10n.t('Folder with sample images'),
      openLabel: vscode.l10n.t('Use Folder'),
    });
    if (opened?.[0]) return opened[0].fsPath;
  }
}

async function askPreprocessing(
  place: Parameters<Step>[0],
  model: vscode.Uri,
  last: string | undefined,
): Promise<string> {
  const presets: Choice<string | undefined>[] = [
    {
      label: 'imagenet',
      description: vscode.l10n.t('0…1, then ImageNet mean and deviation'),
      detail: vscode.l10n.t('torchvision, timm'),
      value: 'imagenet',
    },
    {
      label: 'tf',
      description: vscode.l10n.t('−1…1'),
      detail: vscode.l10n.t('Keras MobileNet, TensorFlow Slim'),
      value: 'tf',
    },
    { label: 'unit', description: vscode.l10n.t('0…1'), value: 'unit' },
    { label: 'raw', description: vscode.l10n.t('0…255, as the camera gives it'), value: 'raw' },
  ];
  const custom = last?.toLowerCase().endsWith('.json')
    ? [{ label: path.basename(last), description: vscode.workspace.asRelativePath(last), value: last }]
    : [];
  const browse: Choice<string | undefined> = {
    label: vscode.l10n.t('File…'),
    description: vscode.l10n.t('Resizing, mean, deviation and channel order from a JSON file'),
    value: undefined,
  };
  const items = [...custom, ...presets];
  for (;;) {
    const chosen = await pick(
      place,
      vscode.l10n.t('How was the model fed in training?'),
      [...items, browse],
      items.find(({ value }) => value === last),
    );
    if (chosen !== undefined) return chosen;
    const opened = await vscode.window.showOpenDialog({
      canSelectFiles: true,
      defaultUri: vscode.Uri.joinPath(model, '..'),
      filters: { JSON: ['json'] },
      title: vscode.l10n.t('Preprocessing'),
    });
    if (opened?.[0]) return opened[0].fsPath;
  }
}

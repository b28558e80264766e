import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Core } from '../../engine/targets/types';
import type { FoundPreprocess, PreprocessScore } from '../../engine/run/foundPreprocess';
import { coreName, OWN_BOARD_ID } from '../../protocol/boards';
import type { FitView } from '../../protocol/fit';
import type { TargetView } from '../../protocol/views';
import { coreOf } from '../cores';
import { fitLine } from '../fit';
import { formatBytes } from '../format';
import { exists } from '../planFiles';
import type { Asked } from '../runQuantize';
import { askedSettings, customBoards, SECTION } from '../settings';
import { pick, runSteps, type Choice, type Later, type Step } from '../steps';
import { OwnBoard } from './ownBoard';
import { askOptions } from './quantizeOptions';
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
  /** What comes before the settings. */
  readonly asked?: Asked;
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

/** The choices of the model's last run; undefined where there was none. */
export function rememberedChoices(memory: vscode.Memento, model: vscode.Uri): QuantizeChoices | undefined {
  return memory.get<QuantizeChoices>(`${MEMORY_KEY}:${model.toString()}`);
}

async function remember(memory: vscode.Memento, model: vscode.Uri, choices: QuantizeChoices): Promise<void> {
  await memory.update(`${MEMORY_KEY}:${model.toString()}`, choices);
  await memory.update(MEMORY_KEY, choices);
}

/**
 * Asks for board, images and preprocessing; what was chosen last is what Enter takes. Undefined: the user left.
 * @param askFit which boards the model fits, shown as soon as it is known
 * @param findPreprocess how well the float model does under each preprocessing, shown as soon as it is known
 * @param given a board that was chosen already
 */
export async function askQuantizeChoices(
  model: vscode.Uri,
  title: string,
  targets: readonly TargetView[],
  memory: vscode.Memento,
  askFit: () => Promise<FitView>,
  findPreprocess: (imagesPath: string) => Promise<FoundPreprocess | null>,
  given?: { readonly id: string; readonly name: string },
): Promise<QuantizeChoices | undefined> {
  const last = remembered(memory, model);
  const asked = boardsOf(model, targets).find(({ board: { id, name } }) => id === given?.id && name === given.name);
  const preset = vscode.workspace.getConfiguration(SECTION, model).get<string>('preprocess');
  let { imagesPath } = last;
  let board = asked?.board ?? last.board;
  let preprocess = last.preprocess ?? preset;
  let options: Asked = last.asked ?? {};
  let own: OwnBoard | undefined;
  let fit: Promise<FitView> | undefined;
  // Once for each folder, whichever way the questions are gone through.
  const found = new Map<string, Promise<FoundPreprocess | null>>();
  const find = (folder: string): Promise<FoundPreprocess | null> => {
    let finding = found.get(folder);
    if (!finding) found.set(folder, (finding = findPreprocess(folder)));
    finding.catch(() => undefined);
    return finding;
  };
  const askBoard: Step = async (place) => {
    const chosen = await pickBoard(place, boardsOf(model, targets), own?.board ?? board, (fit ??= askFit()));
    if (chosen === 'other') own ??= new OwnBoard(board);
    else [board, own] = [chosen, undefined];
  };
  const askImages: Step = async (place) => {
    imagesPath = await askImagesPath(place, model, imagesPath);
  };
  const askPreprocess: Step = async (place) => {
    preprocess = await askPreprocessing(place, model, preprocess, find(imagesPath!));
  };

  const aboutBoard = (): Step[] => (asked ? [] : [askBoard, ...(own?.steps ?? [])]);
  const aside = {
    title: vscode.l10n.t('Options'),
    run: async (): Promise<void> => {
      options = await askOptions(options, askedSettings(model));
    },
  };
  if (!(await runSteps(title, () => [...aboutBoard(), askImages, askPreprocess], aside))) return undefined;
  const choices: QuantizeChoices = {
    board: own?.board ?? board!,
    limits: own?.board,
    imagesPath: imagesPath!,
    preprocess: preprocess!,
    asked: options,
  };
  await remember(memory, model, choices);
  return choices;
}

/** The boards of the table and of the settings, each with a word about it. */
function boardsOf(
  model: vscode.Uri,
  targets: readonly TargetView[],
): readonly { readonly board: Board; readonly about: string }[] {
  const board = ({ id, name, sramBytes, flashBytes, core }: Board): Board => ({
    id,
    name,
    sramBytes,
    flashBytes,
    core,
  });
  return [
    ...targets.map((target) => ({
      board: board({ ...target, core: coreOf(target.core) }),
      about: `${coreName(target.core)}, ${target.clockMHz} MHz`,
    })),
    ...customBoards(model).map((own) => ({
      board: board({ ...own, id: OWN_BOARD_ID }),
      about: vscode.l10n.t('from your settings'),
    })),
  ];
}

/** A board of the table or of the settings, or 'other'; `last` is what Enter takes. */
function pickBoard(
  place: Parameters<Step>[0],
  boards: ReturnType<typeof boardsOf>,
  last: Board | undefined,
  fit: Promise<FitView>,
): Promise<Board | 'other'> {
  const rows = (check?: FitView): Choice<Board | 'other'>[] => [
    ...boards.map(({ board, about }): Choice<Board | 'other'> => {
      const found = check?.boards.find((f) => f.board.id === board.id && f.board.name === board.name);
      const capacity = vscode.l10n.t(
        '{0} SRAM, {1} flash',
        formatBytes(board.sramBytes),
        formatBytes(board.flashBytes),
      );
      const line = found && fitLine(found);
      return {
        label: line ? `$(${line.icon}) ${board.name}` : board.name,
        description: about,
        detail: line ? `${line.text} · ${capacity}` : capacity,
        value: board,
      };
    }),
    {
      label: vscode.l10n.t('Other…'),
      detail: vscode.l10n.t('Enter the SRAM, flash and core of your board'),
      value: 'other',
    },
  ];
  const items = rows();
  const known = items.find(({ value }) => value !== 'other' && value.id === last?.id && value.name === last.name);
  return pick(
    place,
    vscode.l10n.t('Which board is the model for?'),
    items,
    known ?? (last?.id === OWN_BOARD_ID ? items[items.length - 1] : undefined),
    fit.then((check) => ({ rows: rows(check) })),
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
      question ?? vscode.l10n.t('Which folder has sample images like those the camera will deliver?'),
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
  finding: Promise<FoundPreprocess | null>,
): Promise<string> {
  const presets: Choice<string | undefined>[] = [
    {
      label: vscode.l10n.t('Find out'),
      description: vscode.l10n.t('by running the float model on the images'),
      value: 'auto',
    },
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
  const items = [...custom, ...presets, browse];
  for (;;) {
    const chosen = await pick(
      place,
      vscode.l10n.t('How was the model fed in training?'),
      items,
      items.find(({ value }) => value === (last ?? 'auto')),
      finding.then((found) => foundRows(items, found)),
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

/** The presets with how well the float model does under each, the best one first and taken by Enter. */
function foundRows(
  items: readonly Choice<string | undefined>[],
  found: FoundPreprocess | null,
): Later<string | undefined> {
  if (!found) return { rows: items };
  const percent = ({ top1, certainty }: PreprocessScore): string => `${Math.round(100 * (top1 ?? certainty))} %`;
  const about = (score: PreprocessScore): string =>
    score.top1 === null
      ? vscode.l10n.t('{0} confident on {1} images', percent(score), score.images)
      : vscode.l10n.t('{0} right on {1} images', percent(score), score.images);
  const known = new Map(items.map((item) => [item.value, item]));
  const scored = found.scores.map((score, i): Choice<string | undefined> => {
    const item = known.get(score.name);
    const mark = i === 0 ? (found.plausible ? '$(check) ' : '$(warning) ') : '';
    return {
      label: `${mark}${score.name}`,
      description: about(score),
      detail: item?.description,
      value: score.name,
    };
  });
  const others = items.filter(({ value }) => value !== 'auto' && !found.scores.some(({ name }) => name === value));
  return {
    // What swapped colours and the like are worth shows only where they are worth something.
    rows: [...scored.filter(({ value }, i) => i < 3 || known.has(value)), ...others],
    active: 0,
    title: found.plausible
      ? undefined
      : vscode.l10n.t('No preprocessing gives plausible answers: are these the right images? How was the model fed?'),
  };
}

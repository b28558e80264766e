import * as path from 'node:path';
import * as vscode from 'vscode';

export interface FirmwareProject {
  readonly folder: string;
  readonly kind: string;
  /** It has a file that only firmware projects have; else it is a folder of the workspace. */
  readonly isMarked: boolean;
}

/**
 * Files that identify the folder of a firmware project, the clearest first. Where the sources go in it is the
 * engine's decision.
 */
const MARKS: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/^platformio\.ini$/, 'PlatformIO'],
  [/\.csolution\.ya?ml$/, 'CMSIS solution'],
  [/\.ioc$/, 'STM32CubeMX'],
  [/\.ino$/, 'Arduino'],
  [/^prj\.conf$/, 'Zephyr'],
  [/^sdkconfig(\.defaults)?$/, 'ESP-IDF'],
  [/^pico_sdk_import\.cmake$/, 'Pico SDK'],
  [/^\.cproject$/, 'STM32CubeIDE'],
  [/^CMakeLists\.txt$/, 'CMake'],
  [/^Makefile$/, 'Make'],
];

/** Firmware projects in the workspace, and its folders themselves, outermost first. */
export async function findProjects(): Promise<FirmwareProject[]> {
  const files = await vscode.workspace.findFiles(
    '**/{platformio.ini,*.csolution.yml,*.csolution.yaml,*.ioc,*.ino,prj.conf,sdkconfig,sdkconfig.defaults,' +
      'pico_sdk_import.cmake,.cproject,CMakeLists.txt,Makefile}',
    '**/{node_modules,.git,.pio,build,out}/**',
    1000,
  );
  const roots = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const projects = outermost(files.map((file) => file.fsPath));
  const plain = roots
    .filter((root) => !projects.some(({ folder }) => folder === root))
    .map((folder) => ({ folder, kind: vscode.l10n.t('Folder of the workspace'), isMarked: false }));
  return [...projects, ...plain].slice(0, 30);
}

/** One project per folder tree: a `CMakeLists.txt` below another marked folder belongs to that project. */
export function outermost(files: readonly string[]): FirmwareProject[] {
  const rank = new Map<string, number>();
  for (const file of files) {
    const mark = MARKS.findIndex(([pattern]) => pattern.test(path.basename(file)));
    const folder = path.dirname(file);
    if (mark >= 0 && mark < (rank.get(folder) ?? Infinity)) rank.set(folder, mark);
  }
  const folders = [...rank.keys()].sort((a, b) => a.length - b.length || a.localeCompare(b));
  const kept = folders.filter(
    (folder) => !folders.some((other) => other !== folder && folder.startsWith(other + path.sep)),
  );
  return kept.map((folder) => ({ folder, kind: MARKS[rank.get(folder)!][1], isMarked: true }));
}

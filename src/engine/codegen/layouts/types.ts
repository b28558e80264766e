import type { GeneratedFile } from '../types';

/** What a layout knows about a firmware project: the names in its top folder and the texts of its build files. */
export interface ProjectListing {
  /** Name of the project's folder. */
  readonly folderName: string;
  /** Files and folders in the top folder, unsorted. */
  readonly names: ReadonlySet<string>;
  /**
   * Text of a build file, by its path in the project with '/' separators. Undefined for what is absent, no regular
   * file, reached through a link, no UTF-8 or too large: such files are neither understood nor edited.
   */
  text(file: string): string | undefined;
  /** Paths of all build files that have a text, sorted. */
  readonly buildFiles: readonly string[];
}

/** A change to a build file of the user's: their text, and the text with our marked block in it. */
export interface ProjectEdit {
  /** Relative to the project, with '/' separators. */
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** Name of the runtime's library, which a project has once. */
export const runtimeName = 'quantmcu';

/** Whether a library is a model, which the firmware calls, or the runtime, which models call. */
export type Role = 'model' | 'runtime';

/** How the project's own build comes to know the library. */
export interface Wiring {
  /** Changes to build files; those whose text is right already are left out. */
  readonly edits: readonly ProjectEdit[];
  /** What to add by hand where the user wants no edits or they are not possible. Empty when nothing has to be done. */
  readonly instructions: readonly string[];
}

/**
 * How a kind of firmware project expects a library: where, and with which files of its build system. One file per
 * layout.
 */
export interface Layout {
  readonly id: string;
  /** For quick picks, e.g. `PlatformIO library`. */
  readonly title: string;
  /** What tells that the project is of this kind, e.g. `platformio.ini`; null if it is not. */
  detect(project: ProjectListing): string | null;
  /** Folder of the library, relative to the project, with '/' separators. */
  folder(name: string, project: ProjectListing): string;
  /**
   * The sources at their places in that folder, and the build system's files.
   * @param uses name of the library that they need; undefined: none
   */
  arrange(name: string, sources: readonly GeneratedFile[], uses?: string): GeneratedFile[];
  /** Libraries are not on each other's include path: what they include of others is named relative to their folder. */
  readonly includesBySibling?: boolean;
  /** How the build finds the folder; without it, by itself. */
  wire?(name: string, sources: readonly GeneratedFile[], project: ProjectListing, role: Role): Wiring;
  /** The line by which the firmware's own code includes the model's header, without `#include`. */
  include(name: string): string;
}

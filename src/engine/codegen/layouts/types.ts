import type { GeneratedFile } from '../types';

/** What a layout needs to know about a firmware project: the names in its top folder, without reading further. */
export interface ProjectListing {
  /** Files and folders, unsorted. */
  readonly names: ReadonlySet<string>;
}

/** How a kind of firmware project wants a library: where, and with which files of its build system. One file per layout. */
export interface Layout {
  readonly id: string;
  /** For quick picks, e.g. `PlatformIO library`. */
  readonly title: string;
  /** Whether the project is of this kind. */
  detect(project: ProjectListing): boolean;
  /** Folder of the library, relative to the project, with '/' separators. */
  folder(name: string): string;
  /** The sources at their places in that folder, and the build system's files. */
  arrange(name: string, sources: readonly GeneratedFile[]): GeneratedFile[];
}

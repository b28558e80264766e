import * as path from 'node:path';
import { detectLayouts } from './layouts';
import type { Layout } from './layouts';
import type { GeneratedFile } from './types';
import { writeSources } from './write';
import type { WriteOptions, WriteResult } from './write';

export interface ProjectWriteResult extends WriteResult {
  readonly layout: Layout;
  /** Absolute folder that holds the generated files. */
  readonly folder: string;
}

/**
 * Writes a model's sources into a firmware project, in the layout that fits it best or the given one.
 * @throws UserError as {@link writeSources}, or if the project cannot be read
 */
export async function writeToProject(
  projectFolder: string,
  name: string,
  sources: readonly GeneratedFile[],
  options: WriteOptions & { readonly layout?: Layout } = {},
): Promise<ProjectWriteResult> {
  const layout = options.layout ?? (await detectLayouts(projectFolder))[0];
  const folder = path.join(path.resolve(projectFolder), ...layout.folder(name).split('/'));
  return { layout, folder, ...(await writeSources(folder, layout.arrange(name, sources), options)) };
}

import * as path from 'node:path';

/** Path as a sidecar names it: relative to itself, with '/'. */
export function relativeTo(planPath: string, file: string): string {
  return (
    path
      .relative(path.dirname(path.resolve(planPath)), path.resolve(file))
      .split(path.sep)
      .join('/') || '.'
  );
}

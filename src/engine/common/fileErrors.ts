/** What to tell a person when the file system refuses, by error code: what is wrong and what to do. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the disk quota is used up; free some space',
  EROFS: 'the file system is read-only; choose another folder',
  EACCES: 'no permission to write; choose another folder or change its permissions',
  EPERM: 'no permission to write; choose another folder or change its permissions',
  ENOENT: 'the folder does not exist; create it or choose another',
  ENOTDIR: 'a file is where a folder is needed; choose another folder',
  EEXIST: 'a file is where a folder is needed; choose another folder',
  EISDIR: 'a folder is where a file is needed; choose another name',
  ENAMETOOLONG: 'the path is too long; choose a shorter one',
  EIO: 'the disk reports an error; check it, or choose another folder',
  EBUSY: 'a file is in use by another program; close it',
};

/** The reason for a failed write in words, or undefined for an error that is not one of the common refusals. */
export function writeRefusal(error: unknown): string | undefined {
  return REASONS[(error as NodeJS.ErrnoException | null)?.code ?? ''];
}

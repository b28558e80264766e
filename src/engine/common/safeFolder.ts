import * as fs from 'node:fs';
import * as path from 'node:path';
import { UserError } from './errors';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
/** Windows has none of these; there each step is looked at before it is taken. */
const FLAGS = { directory: O_DIRECTORY ?? 0, noFollow: O_NOFOLLOW ?? 0, nonBlock: O_NONBLOCK ?? 0 };

/** Where the system lets paths begin at an open folder, which nobody can put a link in the place of. */
const HANDLES = process.platform === 'linux' && fs.existsSync('/proc/self/fd') ? '/proc/self/fd' : null;

export type Kind = 'file' | 'folder' | 'other';

/** Something lies where nothing of ours can: a link, a device, a file in the place of a folder. */
export class UnsafePathError extends UserError {}

/**
 * A folder below which no link is followed, neither when something is read nor when it is written, moved or removed.
 * The folder itself was chosen by a person and may be reached through links. Paths are relative to it, with '/'
 * separators, and never lead out of it. On Linux each step is taken from the handle of the folder before it; elsewhere
 * each is looked at first.
 */
export class SafeFolder {
  private readonly root: string;
  /** The steps from the root to this folder, none of which may be a link either. */
  private readonly steps: readonly string[];

  /**
   * @param root folder that a person chose
   * @param folder path of the folder meant, from there; it need not be there yet
   */
  constructor(root: string, folder = '') {
    this.root = path.resolve(root);
    this.steps = partsOf(folder);
  }

  /** Where a path of the folder is, or the folder itself. */
  absolute(file = ''): string {
    return path.join(this.root, ...this.steps, ...partsOf(file));
  }

  /**
   * What is there; null for nothing. Links, devices and pipes are `other`. @throws UnsafePathError for a link on the
   * way
   */
  kind(file = ''): Kind | null {
    const stat = this.stat(file);
    return stat === null ? null : kindOf(stat);
  }

  /** Its status; null where nothing is. Of a link, the link's own. */
  stat(file: string): fs.Stats | null {
    try {
      if (this.steps.length + partsOf(file).length === 0) return fs.statSync(this.root);
      return this.at(file, (place) => fs.lstatSync(place));
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }

  /**
   * The bytes of a regular file; null where none is.
   * @throws UnsafePathError for anything else, or more than `maxBytes`
   */
  read(file: string, maxBytes: number): Buffer | null {
    const there = this.stat(file);
    if (there === null) return null;
    // Before it is opened: opening a device may do something, opening a pipe waits for its writer.
    if (!there.isFile()) throw unsafe(this.absolute(file));
    let handle: number;
    try {
      handle = this.at(file, (place) => fs.openSync(place, O_RDONLY | FLAGS.noFollow | FLAGS.nonBlock));
    } catch (error) {
      if (isAbsent(error)) return null;
      throw inWords(this.absolute(file), error);
    }
    try {
      const stat = fs.fstatSync(handle);
      if (!stat.isFile()) throw unsafe(this.absolute(file));
      if (stat.size > maxBytes)
        throw new UnsafePathError(
          `${this.absolute(file)} has ${stat.size} bytes, more than the ${maxBytes} allowed. ` +
            'Move it away or choose another folder.',
        );
      return fs.readFileSync(handle);
    } finally {
      fs.closeSync(handle);
    }
  }

  /** Names in a folder, sorted; none where there is no folder. */
  list(folder = ''): string[] {
    try {
      return this.inside([...this.steps, ...partsOf(folder)], (place) => fs.readdirSync(place)).sort();
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  }

  /** Makes a folder and those above it, this one and those above it too. @returns how many were made */
  makeFolder(folder = ''): number {
    const steps = [...this.steps, ...partsOf(folder)];
    let made = 0;
    for (let i = 1; i <= steps.length; i++) {
      const part = new SafeFolder(this.root, steps.slice(0, i).join('/'));
      const there = part.kind('');
      if (there === 'folder') continue;
      if (there !== null) throw unsafe(part.absolute());
      part.at('', (place) => fs.mkdirSync(place));
      made++;
    }
    return made;
  }

  /** Removes a folder and at most `count - 1` above it, innermost first, as long as they are empty. */
  removeEmpty(folder: string, count = Infinity): void {
    const steps = [...this.steps, ...partsOf(folder)];
    for (let i = steps.length; i > 0 && i > steps.length - count; i--) {
      try {
        new SafeFolder(this.root, steps.slice(0, i).join('/')).at('', (place) => fs.rmdirSync(place));
      } catch (error) {
        if (!isAbsent(error)) return;
      }
    }
  }

  /** Writes a file that is not there yet, down to the disk. */
  create(file: string, data: string | Uint8Array, mode = 0o666): void {
    const handle = this.at(file, (place) => fs.openSync(place, O_WRONLY | O_CREAT | O_EXCL | FLAGS.noFollow, mode));
    try {
      fs.writeFileSync(handle, data);
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
  }

  /** Moves a file or folder to another place in the folder, over what is there. */
  rename(from: string, to: string): void {
    this.at(from, (source) => this.at(to, (target) => fs.renameSync(source, target)));
  }

  /** Gives a regular file a second name; a copy where the file system has no links. */
  secondName(file: string, name: string): void {
    if (this.kind(file) !== 'file') throw unsafe(this.absolute(file));
    this.at(file, (source) =>
      this.at(name, (target) => {
        try {
          fs.linkSync(source, target);
        } catch {
          fs.copyFileSync(source, target, fs.constants.COPYFILE_EXCL);
        }
      }),
    );
  }

  /** Removes anything but a folder, a link as such; does nothing if there is nothing. */
  remove(file: string): void {
    try {
      this.at(file, (place) => fs.unlinkSync(place));
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }

  /** Removes a folder with all that is in it; of links in it, the links. */
  removeTree(folder: string): void {
    if (this.kind(folder) !== 'folder') {
      this.remove(folder);
      return;
    }
    for (const name of this.list(folder)) this.removeTree(`${folder}/${name}`);
    this.at(folder, (place) => fs.rmdirSync(place));
  }

  /** What is in a folder and below it, folders before what they hold. */
  *walk(folder: string): Generator<{ readonly path: string; readonly kind: Kind }> {
    for (const name of this.list(folder)) {
      const file = `${folder}/${name}`;
      const kind = this.kind(file);
      if (kind === null) continue;
      yield { path: file, kind };
      if (kind === 'folder') yield* this.walk(file);
    }
  }

  /** Uses a path to a file or folder of which all but the last step are known not to be links. */
  private at<T>(file: string, use: (place: string) => T): T {
    const steps = [...this.steps, ...partsOf(file)];
    const name = steps.pop();
    if (name === undefined) throw new Error('the folder chosen by the user is not ours to change');
    return this.inside(steps, (place) => use(path.join(place, name)));
  }

  /** Uses a path to a folder none of whose steps from the root is a link. */
  private inside<T>(steps: readonly string[], use: (place: string) => T): T {
    if (HANDLES === null) {
      for (let i = 1; i <= steps.length; i++) {
        const step = path.join(this.root, ...steps.slice(0, i));
        if (!fs.lstatSync(step).isDirectory()) throw unsafe(step);
      }
      return use(path.join(this.root, ...steps));
    }
    let handle = fs.openSync(this.root, O_RDONLY | FLAGS.directory);
    try {
      for (const [i, step] of steps.entries()) {
        const next = openStep(`${HANDLES}/${handle}/${step}`, path.join(this.root, ...steps.slice(0, i + 1)));
        fs.closeSync(handle);
        handle = next;
      }
      return use(`${HANDLES}/${handle}`);
    } finally {
      fs.closeSync(handle);
    }
  }
}

/** @param file the same place as the user knows it */
function openStep(place: string, file: string): number {
  try {
    return fs.openSync(place, O_RDONLY | FLAGS.directory | FLAGS.noFollow);
  } catch (error) {
    throw inWords(file, error);
  }
}

/** What an open says to a link or a file in the place of a folder, in words; any other error as it is. */
function inWords(file: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  // ENXIO: a socket.
  return code === 'ELOOP' || code === 'EMLINK' || code === 'ENOTDIR' || code === 'ENXIO' ? unsafe(file) : error;
}

function unsafe(file: string): UnsafePathError {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  const what = stat?.isSymbolicLink()
    ? 'is a link, which QuantMCU does not follow'
    : stat?.isFile()
      ? 'is a file where a folder is needed'
      : 'is not a regular file';
  return new UnsafePathError(`${file} ${what}. Move it away or choose another folder.`);
}

function kindOf(stat: fs.Stats): Kind {
  return stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other';
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function partsOf(file: string): string[] {
  const parts = file.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.some((part) => part === '..' || part.includes('\0') || (path.sep === '\\' && /[\\:]/.test(part))))
    throw new UnsafePathError(`'${file}' points outside its folder.`);
  return parts;
}

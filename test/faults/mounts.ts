import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Context } from 'mocha';

/** A small file system of its own in memory. Needs Linux and root: elsewhere the test is skipped by name. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  static mount(context: Context, folder: string, kilobytes: number): SmallDisk {
    fs.mkdirSync(folder, { recursive: true });
    const result =
      process.platform === 'linux' && process.getuid?.() === 0
        ? spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder])
        : null;
    if (result?.status !== 0) {
      console.log('      skipped: a small file system can only be mounted on Linux as root');
      context.skip();
    }
    return new SmallDisk(folder);
  }

  /** Fills the disk up to so many free blocks of 4 KiB. */
  fillExcept(blocks: number): void {
    const file = path.join(this.folder, 'filler');
    fs.rmSync(file, { force: true });
    const free = fs.statfsSync(this.folder).bavail;
    if (free > blocks) fs.writeFileSync(file, Buffer.alloc((free - blocks) * fs.statfsSync(this.folder).bsize));
  }

  free(): void {
    fs.rmSync(path.join(this.folder, 'filler'), { force: true });
  }

  readOnly(): void {
    spawnSync('mount', ['-o', 'remount,ro', this.folder]);
  }

  unmount(): void {
    spawnSync('umount', [this.folder]);
  }
}

import { execFile } from 'node:child_process';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from '@tocsin/core';

const run = promisify(execFile);
const SIZE = '768m';
const BALLAST = 'ballast';
const BLOCK = Buffer.alloc(1024 * 1024);

/** A file system that can be filled: a tmpfs, so it needs root. */
export class SmallDisk {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** @returns undefined where this process may not mount */
  static async mount(dir: string, size = SIZE): Promise<SmallDisk | undefined> {
    await mkdir(dir);
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0755`, 'tocsin-chaos', dir]);
    } catch {
      return undefined;
    }
    return new SmallDisk(dir);
  }

  /** Fills the remaining space. */
  async fill(): Promise<void> {
    const file = await open(join(this.dir, BALLAST), 'w');
    try {
      for (;;) {
        const { bavail, bsize } = await statfs(this.dir);
        const left = bavail * bsize;
        if (left === 0) return;
        await file.write(BLOCK, 0, Math.min(left, BLOCK.length));
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC') throw error;
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(join(this.dir, BALLAST), { force: true });
  }

  async unmount(): Promise<void> {
    await run('umount', [this.dir]);
  }
}

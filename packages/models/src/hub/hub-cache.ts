import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, link, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import { pathKind } from '../cache/disk.js';
import { COMMIT } from './hub-ref.js';

const BLOB = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * One repository in the cache, in huggingface_hub's layout, so that Python and Tocsin share files: the bytes in
 * `models--owner--name/blobs/<hash>`, a link to them at `snapshots/<commit>/<file>`, the last known commit of a branch
 * or tag in `refs/<revision>`, and `.no_exist/<commit>/<file>` for a file that a commit lacks.
 */
export class CachedRepo {
  readonly dir: string;
  /** Beside the repositories' directories, where Python keeps its locks too. */
  readonly locksDir: string;

  constructor(
    cacheDir: string,
    readonly repo: string,
  ) {
    const folder = ['models', ...repo.split('/')].join('--');
    this.dir = join(cacheDir, folder);
    this.locksDir = join(cacheDir, '.locks', folder);
  }

  snapshotDir(commit: string): string {
    return join(this.dir, 'snapshots', commit);
  }

  /** @param hash from the hub; checked, since it becomes part of a path */
  blobFile(hash: string): string {
    if (!BLOB.test(hash)) throw new Error(`the hub names a file's content ${JSON.stringify(hash)}`);
    return join(this.dir, 'blobs', hash);
  }

  async has(commit: string, file: string): Promise<boolean> {
    return (await pathKind(join(this.snapshotDir(commit), file))) === 'file';
  }

  /** True when the commit is known to lack the file. */
  async lacks(commit: string, file: string): Promise<boolean> {
    return (await pathKind(join(this.dir, '.no_exist', commit, file))) === 'file';
  }

  async markLacking(commit: string, file: string): Promise<void> {
    const marker = join(this.dir, '.no_exist', commit, file);
    await unlessReadOnly(async () => {
      await mkdir(dirname(marker), { recursive: true });
      await writeFile(marker, '');
    });
  }

  /** True when the bytes are complete. */
  async hasBlob(hash: string, size: number): Promise<boolean> {
    try {
      return (await stat(this.blobFile(hash))).size === size;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Bytes of a file still to download: 0 when it is complete. */
  async bytesMissing(hash: string, size: number): Promise<number> {
    if (await this.hasBlob(hash, size)) return 0;
    try {
      return Math.max(size - (await stat(`${this.blobFile(hash)}.incomplete`)).size, 0);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return size;
      throw error;
    }
  }

  /**
   * Creates the directory of the blobs.
   * @throws UserError when the cache is not writable
   */
  async prepare(): Promise<string> {
    const dir = join(this.dir, 'blobs');
    try {
      await mkdir(dir, { recursive: true });
      await access(dir, constants.W_OK | constants.X_OK);
      return dir;
    } catch (cause) {
      throw new UserError(`the cache of models cannot be written: ${messageOf(cause)}`, {
        hint: 'Name another directory with HF_HOME (or HF_HUB_CACHE).',
        cause,
      });
    }
  }

  /** Links a snapshot's file to its bytes. */
  async linkBlob(commit: string, file: string, hash: string): Promise<void> {
    const blob = this.blobFile(hash);
    const pointer = join(this.snapshotDir(commit), file);
    await mkdir(dirname(pointer), { recursive: true });
    // Rename into place: another process may do the same, and a reader must never miss the file.
    const temporary = `${pointer}.${randomUUID()}`;
    try {
      await symlink(relative(dirname(pointer), blob), temporary);
    } catch (error) {
      // Windows allows symbolic links only to administrators and developers; a hard link needs no privilege.
      if (codeOf(error) !== 'EPERM') throw error;
      await link(blob, temporary);
    }
    await rename(temporary, pointer);
  }

  /** The known branches and tags. */
  async revisions(): Promise<string[]> {
    const refs = join(this.dir, 'refs');
    try {
      const entries = await readdir(refs, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
        .map((entry) => relative(refs, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
        .sort();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** The last known commit of a revision. */
  async readRef(revision: string): Promise<string | undefined> {
    try {
      const commit = (await readFile(join(this.dir, 'refs', revision), 'utf8')).trim();
      return COMMIT.test(commit) ? commit : undefined;
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error) ?? '')) return undefined;
      throw error;
    }
  }

  async writeRef(revision: string, commit: string): Promise<void> {
    if (revision === commit || (await this.readRef(revision)) === commit) return;
    const file = join(this.dir, 'refs', revision);
    const temporary = `${file}.${randomUUID()}.tmp`;
    await unlessReadOnly(async () => {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(temporary, commit);
      await rename(temporary, file);
    });
  }
}

/**
 * Ignores write errors of optional notes in a read-only cache. (`prepare` reports it when files must be written too.)
 */
async function unlessReadOnly(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!['EROFS', 'EACCES', 'EPERM', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
  }
}

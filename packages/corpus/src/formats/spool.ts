import { createWriteStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { compressionOf, MAGIC_BYTES } from '../sources/file-kind.js';
import { type OpenSourceOptions, openBytes } from '../sources/open-source.js';
import { checkRoots } from '../sources/roots.js';
import { STDIN } from '../sources/source-name.js';

/** A file that can be read at any place. */
export interface SeekableFile {
  path: string;
  /** Call when it is read: a copy is removed. */
  release(): Promise<void>;
}

/**
 * The source itself when it is a plain file; else (stdin, a pipe, compressed) a copy of its bytes in the system's
 * temporary directory (TMPDIR), as formats with an index at their end must be read in any order.
 */
export async function seekable(source: string, options: OpenSourceOptions): Promise<SeekableFile> {
  if (source !== STDIN && (await isPlainFile(source, options.roots)))
    return { path: source, release: async () => {} };
  const dir = await mkdtemp(join(tmpdir(), 'tocsin-spool-'));
  const release = (): Promise<void> => rm(dir, { recursive: true, force: true });
  try {
    const path = join(dir, 'copy');
    await pipeline(openBytes(source, options), createWriteStream(path, { mode: 0o600 }));
    return { path, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function isPlainFile(path: string, roots: readonly string[] | undefined): Promise<boolean> {
  const file = await open(path);
  try {
    if (roots !== undefined) await checkRoots(path, file, roots);
    if (!(await file.stat()).isFile()) return false;
    const head = Buffer.alloc(MAGIC_BYTES);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return compressionOf(head.subarray(0, bytesRead)) === undefined && !/\.(gz|zst)$/i.test(path);
  } finally {
    await file.close();
  }
}

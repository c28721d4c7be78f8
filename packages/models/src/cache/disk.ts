import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { codeOf, messageOf, UserError } from '@tocsin/core';

/** Space that files take. */
export interface DiskUsage {
  /** Apparent size. A file with several names counts once; symbolic links do not count. */
  bytes: number;
  /** Space freed by removing all of it, without files hard-linked elsewhere. */
  freed: number;
}

/** The space taken below some paths; a missing path takes none. */
export async function diskUsage(...paths: string[]): Promise<DiskUsage> {
  const inodes = new Map<string, { size: number; names: number; seen: number }>();
  for (const path of paths) await walk(path, inodes);
  const usage: DiskUsage = { bytes: 0, freed: 0 };
  for (const { size, names, seen } of inodes.values()) {
    usage.bytes += size;
    if (seen >= names) usage.freed += size;
  }
  return usage;
}

async function walk(
  path: string,
  inodes: Map<string, { size: number; names: number; seen: number }>,
): Promise<void> {
  try {
    const found = await lstat(path);
    if (found.isDirectory()) {
      for (const name of await readdir(path)) await walk(join(path, name), inodes);
      return;
    }
    if (!found.isFile()) return;
    const key = `${found.dev}:${found.ino}`;
    const entry = inodes.get(key) ?? { size: found.size, names: found.nlink, seen: 0 };
    entry.seen += 1;
    inodes.set(key, entry);
  } catch (error) {
    // It may disappear meanwhile: a finished download renames its file.
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** 16_060_522_496 -> "16.1 GB" */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/**
 * The sha256 of a file, read as a stream.
 * @returns lower-case hexadecimal
 */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, signal ? { signal } : {});
  return hash.digest('hex');
}

/**
 * @param dir exists, on the file system that the bytes go to
 * @throws UserError when they do not fit
 */
export async function requireSpace(dir: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  if (bytes > free) throw noSpace(dir, `${bytesText(bytes)} are to be fetched, ${bytesText(free)} are free`);
}

/** @param what describes the sizes, for the message */
export function noSpace(dir: string, what: string, cause?: unknown): UserError {
  return new UserError(`there is not enough space in ${dir}: ${what}`, {
    hint: 'Free some space (`tocsin guards remove`), or set HF_HOME to another directory. Downloaded parts are kept.',
    cause,
  });
}

const NOTHING_THERE = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);

/**
 * The kind of a path, following links.
 * @throws UserError when it cannot be read, e.g. for lack of permission on a directory above
 */
export async function pathKind(path: string): Promise<'file' | 'directory' | 'nothing' | 'other'> {
  try {
    const found = await stat(path);
    if (found.isFile()) return 'file';
    return found.isDirectory() ? 'directory' : 'other';
  } catch (cause) {
    if (NOTHING_THERE.has(codeOf(cause) ?? '')) return 'nothing';
    throw new UserError(`cannot look at ${path}: ${messageOf(cause)}`, { cause });
  }
}

import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@tocsin/core';

/** Space that files take. */
export interface DiskUsage {
  /** As the files say. A file with several names counts once; a symbolic link counts nothing. */
  bytes: number;
  /** What is free again once all of it is removed: not files that have another name (a hard link) elsewhere. */
  freed: number;
}

/** The space below some paths; one that does not exist takes none. */
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
    // It may be going while we look: a download that ends renames its file.
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

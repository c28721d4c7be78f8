import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of files, and of the files in directories (not below them): symbolic links followed, as in the hub's cache. */
export async function bytesOfFiles(paths: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of paths) {
    const found = await stat(path);
    if (!found.isDirectory()) {
      bytes += found.size;
      continue;
    }
    for (const name of await readdir(path)) {
      const entry = await stat(join(path, name));
      if (entry.isFile()) bytes += entry.size;
    }
  }
  return bytes;
}

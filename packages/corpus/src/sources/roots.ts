import { type FileHandle, realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { UserError } from '@tocsin/core';
import { sourceName } from './source-name.js';

/** Whether a path lies in a directory, or is it. Looks at the names only. */
export function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`));
}

/**
 * Makes sure that an open file really lies in one of the roots, whatever links lead there.
 * Throws a `UserError` when it does not.
 */
export async function checkRoots(path: string, file: FileHandle, roots: readonly string[]): Promise<void> {
  const real = await realpath(path);
  const places = await Promise.all(roots.map((root) => realpath(root).catch(() => resolve(root))));
  if (places.some((root) => isInside(real, root))) {
    // The file that is open, not one that a link led to a moment ago.
    const [opened, found] = await Promise.all([file.stat(), stat(real)]);
    if (opened.dev === found.dev && opened.ino === found.ino) return;
  }
  throw new UserError(`${sourceName(path)} lies outside the directories that may be read.`, {
    hint: 'Links are followed: the file itself must be in one of the directories of --corpus-root.',
  });
}

import { type FileHandle, realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { UserError } from '@tocsin/core';
import { sourceName } from './source-name.js';

/** Whether a path is in a directory, or is that directory. Compares names only. */
function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`));
}

/**
 * Checks that an open file is in one of the roots after resolving links.
 * @throws UserError when it is not
 */
export async function checkRoots(path: string, file: FileHandle, roots: readonly string[]): Promise<void> {
  const real = await realpath(path);
  const places = await Promise.all(roots.map((root) => realpath(root).catch(() => resolve(root))));
  if (places.some((root) => isInside(real, root))) {
    // Check the open file, not where a link pointed earlier.
    const [opened, found] = await Promise.all([file.stat(), stat(real)]);
    if (opened.dev === found.dev && opened.ino === found.ino) return;
  }
  throw new UserError(`${sourceName(path)} cannot be read: it is outside the allowed directories`, {
    hint: 'The file itself, after resolving links, must be in a directory of --corpus-root.',
  });
}

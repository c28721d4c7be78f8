import { access, constants, type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { isUserError, UserError } from '@tocsin/core';
import { sourceError } from './source-error.js';
import { STDIN, sourceName } from './source-name.js';

/**
 * Checks that every source can be read: a missing file, a directory or an unreadable file throws a `UserError`. `bytes` is
 * their total stored (compressed) size, which `onBytes` of `readCorpus` counts up to; undefined with stdin or a pipe.
 */
export async function checkSources(
  sources: readonly string[],
  roots?: readonly string[],
): Promise<{ bytes: number | undefined }> {
  if (sources.length === 0) {
    throw new UserError('no corpus given', {
      hint: 'Name files, directories or patterns, or - for stdin.',
    });
  }
  if (sources.filter((source) => source === STDIN).length > 1) {
    throw new UserError('stdin (-) cannot be read twice', { hint: 'Name - only once.' });
  }
  let bytes: number | undefined = 0;
  for (const source of sources) {
    const size = source === STDIN ? undefined : await readableSize(source, roots);
    bytes = bytes === undefined || size === undefined ? undefined : bytes + size;
  }
  return { bytes };
}

/** Size of a readable file; undefined for pipes and devices. */
async function readableSize(path: string, roots: readonly string[] | undefined): Promise<number | undefined> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
    if (stats.isFile()) {
      // Opening the file is the only check that covers all kinds of permissions and file systems.
      const file = await open(path);
      try {
        if (roots !== undefined) await checkRoots(path, file, roots);
      } finally {
        await file.close();
      }
      return stats.size;
    }
    if (roots !== undefined) throw new UserError(`${sourceName(path)} is not a regular file`);
    // Opening and closing a pipe would signal its writer that the reader is gone.
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    throw isUserError(error) ? error : sourceError(path, error);
  }
}

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

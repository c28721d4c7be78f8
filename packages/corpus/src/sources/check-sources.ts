import { access, constants, open, stat } from 'node:fs/promises';
import { isUserError, UserError } from '@tocsin/core';
import { checkRoots } from './roots.js';
import { sourceError } from './source-error.js';
import { STDIN, sourceName } from './source-name.js';

/**
 * Make sure that every source can be read before anything starts: a missing file, a directory or an unreadable
 * file is a `UserError`. `bytes` is the size of all of them as stored (compressed), which `onBytes` of `readCorpus`
 * counts up to; undefined when one is stdin or a pipe.
 */
export async function checkSources(
  sources: readonly string[],
  roots?: readonly string[],
): Promise<{ bytes: number | undefined }> {
  if (sources.length === 0) {
    throw new UserError('No corpus was named.', {
      hint: 'Name files, directories or patterns, or - for stdin.',
    });
  }
  if (sources.filter((source) => source === STDIN).length > 1) {
    throw new UserError('stdin (-) was named twice.', { hint: 'It can be read only once: name - once.' });
  }
  let bytes: number | undefined = 0;
  for (const source of sources) {
    const size = source === STDIN ? undefined : await readableSize(source, roots);
    bytes = bytes === undefined || size === undefined ? undefined : bytes + size;
  }
  return { bytes };
}

/** Size of a file that can be read; undefined for pipes and devices. */
async function readableSize(path: string, roots: readonly string[] | undefined): Promise<number | undefined> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
    if (stats.isFile()) {
      // Opening it is the only proof that holds for every kind of permission and file system.
      const file = await open(path);
      try {
        if (roots !== undefined) await checkRoots(path, file, roots);
      } finally {
        await file.close();
      }
      return stats.size;
    }
    if (roots !== undefined) throw new UserError(`${sourceName(path)} is no file.`);
    // Opening a pipe and closing it again would tell its writer that nobody listens.
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    throw isUserError(error) ? error : sourceError(path, error);
  }
}

import { access, constants, open, stat } from 'node:fs/promises';
import { UserError } from '@tocsin/errors';
import { sourceError } from './source-error.js';
import { STDIN } from './source-name.js';

/**
 * Make sure that every source can be read before anything starts: a missing file, a directory or an unreadable
 * file is a `UserError`. `bytes` is the size of all of them as stored (compressed), which `onBytes` of `readJsonl`
 * counts up to; undefined when one is stdin or a pipe.
 */
export async function checkSources(sources: readonly string[]): Promise<{ bytes: number | undefined }> {
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
    const size = source === STDIN ? undefined : await readableSize(source);
    bytes = bytes === undefined || size === undefined ? undefined : bytes + size;
  }
  return { bytes };
}

/** Size of a file that can be read; undefined for pipes and devices. */
async function readableSize(path: string): Promise<number | undefined> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
    if (stats.isFile()) {
      // Opening it is the only proof that holds for every kind of permission and file system.
      await (await open(path)).close();
      return stats.size;
    }
    // Opening a pipe and closing it again would tell its writer that nobody listens.
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    throw sourceError(path, error);
  }
}

import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { codeOf } from '@tocsin/core';
import { ApiError } from '../http/api-error.js';

/** Where a pattern begins. */
const PATTERN = /[*?[\]{}!()]/;

/**
 * A source of a corpus that a schedule made through the API may read: a file, a directory or a pattern that lies in one of
 * the roots, whatever links lead there.
 * @param source a path; a relative one begins at the first root
 * @returns the same as an absolute path
 * @throws ApiError for any other
 */
export async function allowedSource(source: string, roots: readonly string[]): Promise<string> {
  const [first] = roots;
  if (first === undefined) {
    throw new ApiError(403, 'this server accepts no schedules through the API', {
      hint: 'Start it with --corpus-root DIR for where corpora are, or use `tocsin schedule add`.',
    });
  }
  const path = resolve(first, source);
  const isAddress = source === '-' || /^[a-z][a-z0-9+.-]*:\/\//i.test(source);
  if (!isAddress) {
    const place = await realPlace(staticPart(path));
    for (const root of roots) {
      if (isInside(path, resolve(root)) && isInside(place, await realPlace(resolve(root)))) return path;
    }
  }
  throw new ApiError(422, 'the corpus lies in none of the directories that schedules may read', {
    field: 'corpus',
    hint: 'The server is told them with --corpus-root. Other sources: `tocsin schedule add`.',
  });
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`));
}

/** What of a path is no pattern. */
function staticPart(path: string): string {
  const parts = path.split(sep);
  const at = parts.findIndex((part) => PATTERN.test(part));
  return at === -1 ? path : parts.slice(0, at).join(sep) || sep;
}

/** Where a path really leads; as far as it is there. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return resolve(await realPlace(dirname(path)), path.slice(dirname(path).length + 1));
  }
}

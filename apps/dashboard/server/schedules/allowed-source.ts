import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { codeOf } from '@tocsin/core';
import { ApiError } from '../http/api-error.js';

/** The first glob character. */
const PATTERN = /[*?[\]{}!()]/;

/**
 * Resolves the source of a schedule created through the API: a file, directory or glob that lies in one of the roots after
 * symbolic links are resolved.
 * @param source a path, relative to the first root
 * @returns the absolute path
 * @throws ApiError for any other path
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
  throw new ApiError(422, 'the corpus is outside the directories that schedules may read', {
    field: 'corpus',
    hint: 'Set them with --corpus-root, or use `tocsin schedule add` for other sources.',
  });
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`));
}

/** The part of a path before its first glob character. */
function staticPart(path: string): string {
  const parts = path.split(sep);
  const at = parts.findIndex((part) => PATTERN.test(part));
  return at === -1 ? path : parts.slice(0, at).join(sep) || sep;
}

/** Resolves symbolic links in the existing part of a path. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return resolve(await realPlace(dirname(path)), path.slice(dirname(path).length + 1));
  }
}

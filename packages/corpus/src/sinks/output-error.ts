import { codeOf, messageOf, UserError } from '@tocsin/core';
import { STDOUT } from './score-format.js';

const HINTS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'Make the directory first, or name another one.'],
  ['ENOTDIR', 'A part of the path is a file, not a directory: name another one.'],
  ['EISDIR', 'Name a file in that directory.'],
  ['EACCES', 'Name a place that the user who runs Tocsin may write to.'],
  ['EPERM', 'Name a place that the user who runs Tocsin may write to.'],
  ['EROFS', 'Name a place on a file system that can be written to.'],
  ['ENOSPC', 'Free some space or name another place; then run the same command again.'],
  ['EDQUOT', 'Free some space or name another place; then run the same command again.'],
  ['ENAMETOOLONG', 'Choose a shorter name.'],
]);

/** What to tell a person about an output that cannot be written. */
export function outputError(path: string, error: unknown): UserError {
  const hint = HINTS.get(codeOf(error) ?? '');
  return new UserError(
    `${path === STDOUT ? 'stdout' : JSON.stringify(path)} cannot be written: ${messageOf(error)}.`,
    {
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    },
  );
}

import { codeOf, messageOf, UserError } from '@tocsin/core';
import { STDIN, sourceName } from './source-name.js';

/** What to tell a person about a source that could not be opened or read. */
export function sourceError(source: string, error: unknown): UserError {
  const name = sourceName(source);
  switch (codeOf(error)) {
    case 'ENOENT':
      return new UserError(`There is no file ${name}.`, {
        hint: `Check its name; relative names start at ${process.cwd()}.`,
        cause: error,
      });
    case 'EISDIR':
      return new UserError(`${name} is a directory; a file was expected.`, {
        hint: `Name the files in it, for example ${source.replace(/\/+$/, '')}/*.jsonl`,
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new UserError(`${name} cannot be read: permission denied.`, {
        hint:
          source === STDIN
            ? 'Pipe the rows in.'
            : 'Make the file readable for the user that runs Tocsin (chmod, chown).',
        cause: error,
      });
    default:
      return new UserError(`${name} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

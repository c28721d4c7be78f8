import { codeOf, isUserError, messageOf, UserError } from '@tocsin/core';
import { DamagedArchive } from '../compression/damaged-archive.js';
import { count } from '../rows/wording.js';
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

/**
 * Makes of what went wrong while a source was read what to throw: the reason of an abort, or a `UserError` that names
 * the source. What comes from no file system is a defect of ours, and stays as it is.
 */
export function readingErrors(
  source: string,
  where: () => string,
  signal?: AbortSignal,
): (error: unknown) => unknown {
  return (error) => {
    if (signal?.aborted === true) return signal.reason;
    if (error instanceof DamagedArchive) return damagedSource(source, error, where());
    if (isUserError(error) || codeOf(error) === undefined) return error;
    return sourceError(source, error);
  };
}

/** What to tell a person about a damaged archive. `where` says how far the rows go: "after line 7". */
function damagedSource(source: string, error: DamagedArchive, where: string): UserError {
  const byte = `compressed byte ${count(error.byte)}`;
  const what = error.truncated ? `ends too early, at ${byte}` : `is damaged at or before ${byte}`;
  return new UserError(
    `The ${error.kind} data of ${sourceName(source)} ${what}, ${where}: ${error.message}.`,
    {
      hint: `Fetch the file again; "${error.kind} -t FILE" is silent when it is whole.`,
      cause: error,
    },
  );
}

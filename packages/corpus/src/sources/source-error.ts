import { codeOf, isUserError, messageOf, UserError } from '@tocsin/core';
import { DamagedArchive } from '../compression/zlib.js';
import { count } from '../rows/wording.js';
import { STDIN, sourceName } from './source-name.js';

/** The error for a source that could not be opened or read. */
export function sourceError(source: string, error: unknown): UserError {
  const name = sourceName(source);
  switch (codeOf(error)) {
    case 'ENOENT':
      return new UserError(`${name} cannot be read: no such file`, {
        hint: `Check its name; relative names start at ${process.cwd()}.`,
        cause: error,
      });
    case 'EISDIR':
      return new UserError(`${name} cannot be read: it is a directory`, {
        hint: `Name the files in it, for example ${source.replace(/\/+$/, '')}/*.jsonl`,
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new UserError(`${name} cannot be read: permission denied`, {
        hint:
          source === STDIN
            ? 'Pipe the rows in.'
            : 'Make the file readable for the user running Tocsin (chmod, chown).',
        cause: error,
      });
    default:
      return new UserError(`${name} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Converts an error during reading: to the reason of an abort, or to a `UserError` that names the source. Errors that are
 * not from the file system are bugs and stay as they are.
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

/** The error for a damaged archive. `where` is the last row read: "after line 7". */
function damagedSource(source: string, error: DamagedArchive, where: string): UserError {
  const byte = `compressed byte ${count(error.byte)}`;
  const what = error.truncated ? `is truncated at ${byte}` : `is damaged at or before ${byte}`;
  return new UserError(
    `the ${error.kind} data of ${sourceName(source)} ${what}, ${where}: ${error.message}`,
    {
      hint: `Fetch the file again; "${error.kind} -t FILE" prints nothing if it is intact.`,
      cause: error,
    },
  );
}

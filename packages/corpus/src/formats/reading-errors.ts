import { codeOf, isUserError } from '@tocsin/core';
import { DamagedArchive, damagedSource } from '../compression/damaged-archive.js';
import { sourceError } from '../sources/source-error.js';

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

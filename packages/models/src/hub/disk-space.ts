import { statfs } from 'node:fs/promises';
import { UserError } from '@tocsin/core';
import { bytesText } from '../cache/bytes-text.js';

/**
 * @param dir exists, on the file system that the bytes go to
 * @throws UserError when they do not fit
 */
export async function requireSpace(dir: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  if (bytes > free) throw noSpace(dir, `${bytesText(bytes)} are to be fetched, ${bytesText(free)} are free`);
}

/** @param what what is known of the sizes */
export function noSpace(dir: string, what: string, cause?: unknown): UserError {
  return new UserError(`there is not enough space in ${dir}: ${what}`, {
    hint: 'Free some space (`tocsin guards remove`), or name another directory with HF_HOME. What was fetched is kept.',
    cause,
  });
}

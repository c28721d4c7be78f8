import { codeOf, messageOf, UserError } from '@tocsin/core';

const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'It belongs to another user, or its permissions forbid it.',
  EPERM: 'It belongs to another user, or its file system does not know owners.',
  EROFS: 'Its file system is read-only.',
  ENOSPC: 'Its file system is full.',
  EDQUOT: 'The disk quota is used up.',
  ENOTDIR: 'A part of this path is a file.',
  EEXIST: 'A part of this path is a file.',
  ENAMETOOLONG: 'The path is too long.',
  ELOOP: 'Its symbolic links go in a circle.',
};

/** Turns what the file system refuses into a `UserError` that names the data directory and what to do. */
export async function explained<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const hint = HINTS[codeOf(cause) ?? ''];
    if (hint === undefined || (cause instanceof Error && cause.name === 'UserError')) throw cause;
    throw new UserError(`The data directory ${dataDir} cannot be used: ${messageOf(cause)}`, {
      hint: `${hint} Choose another directory with --data-dir or TOCSIN_DATA, or set DATABASE_URL.`,
      cause,
    });
  }
}

import { stat } from 'node:fs/promises';
import { codeOf, messageOf, UserError } from '@tocsin/core';

const NOTHING_THERE = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);

/**
 * What a path leads to, links followed.
 * @throws UserError when it cannot be looked at, e.g. because a directory above may not be entered
 */
export async function pathKind(path: string): Promise<'file' | 'directory' | 'nothing' | 'other'> {
  try {
    const found = await stat(path);
    if (found.isFile()) return 'file';
    return found.isDirectory() ? 'directory' : 'other';
  } catch (cause) {
    if (NOTHING_THERE.has(codeOf(cause) ?? '')) return 'nothing';
    throw new UserError(`cannot look at ${path}: ${messageOf(cause)}`, { cause });
  }
}

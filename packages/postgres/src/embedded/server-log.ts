import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import { type DataDir, giveToOwner } from './data-dir.js';

/** Begins a new log; the one before stays as `postgres.log.1`. */
export async function beginLog(dir: DataDir): Promise<void> {
  try {
    await rename(dir.logFile, `${dir.logFile}.1`);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const file = await open(dir.logFile, 'wx', 0o600);
  await file.close();
  await giveToOwner(dir, dir.logFile);
}

/** The log for a server to write to; where it begins is its size now. */
export async function openLog(dir: DataDir): Promise<{ file: FileHandle; begin: number }> {
  const file = await open(dir.logFile, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
  return { file, begin: (await file.stat()).size };
}

/** What was logged since `begin`. */
export async function readLog(dir: DataDir, begin: number): Promise<string> {
  const file = await open(dir.logFile, 'r');
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of file.createReadStream({ start: begin, autoClose: false }))
      chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    await file.close();
  }
}

export function lastLines(text: string, count = 8): string {
  return text.trim().split('\n').slice(-count).join('\n');
}

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

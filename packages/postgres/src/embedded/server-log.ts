import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { codeOf } from '@tocsin/core';
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

import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '@tocsin/core';
import { sha256OfFile } from '@tocsin/models';
import { writeWhole } from './write-whole.js';

const MEMO_FILE = 'file-digests.json';

/** Digest of a file by the identity of its bytes: real path, inode, size and time of last change. */
type Memo = Record<string, string>;

/**
 * sha256 of each file, in hex. A checkpoint has gigabytes and changes hardly ever: digests are remembered in the
 * cache directory for as long as a file's inode, size and time of last change stay the same.
 */
export async function digestFiles(files: string[], cacheDir: string): Promise<string[]> {
  const memoFile = join(cacheDir, MEMO_FILE);
  const memo = await readMemo(memoFile);
  const digests: string[] = [];
  let changed = false;
  for (const file of files) {
    const key = await identityOf(file);
    let digest = memo[key];
    if (digest === undefined) {
      digest = await sha256OfFile(file);
      memo[key] = digest;
      changed = true;
    }
    digests.push(digest);
  }
  if (changed) {
    await mkdir(dirname(memoFile), { recursive: true });
    await writeWhole(memoFile, JSON.stringify(memo));
  }
  return digests;
}

async function identityOf(file: string): Promise<string> {
  const path = await realpath(file);
  const { ino, size, mtimeNs } = await stat(path, { bigint: true });
  return [path, ino, size, mtimeNs].join('|');
}

async function readMemo(file: string): Promise<Memo> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Memo;
  } catch (error) {
    // No memo yet. One that was cut short is worth no more than none: it is made again from the files.
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return {};
    throw error;
  }
}

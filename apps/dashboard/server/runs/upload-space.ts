import { mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '@tocsin/core';
import type { FastifyBaseLogger } from 'fastify';
import { ApiError } from '../http/api-error.js';

/** `tocsin-upload-PID-XXXXXX`; builds before this one left the number out. */
const DIRECTORY = /^tocsin-upload-(?:(\d+)-)?[A-Za-z0-9]{6}$/;
/** One without a number, or of a number that another process has by now, is a leftover after so long. */
const OLD_MS = 24 * 60 * 60_000;
const RETRY_AFTER_SECONDS = 60;
const GIB = 1024 ** 3;

/** A directory for files of one upload, which says whose it is. */
export function uploadDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), `tocsin-upload-${process.pid}-`));
}

/**
 * Checks that the disk of uploads has room.
 * @param bytes that are about to come, as far as that is known
 * @throws ApiError when less than `headroom` bytes would be left
 */
export async function requireSpace(bytes: number, headroom: number): Promise<void> {
  const { bavail, bsize } = await statfs(tmpdir());
  const free = bavail * bsize;
  if (free - bytes >= headroom) return;
  throw new ApiError(
    503,
    `there is no room for the upload: it has ${gib(bytes)}, and the server ${gib(free)} of which ${gib(headroom)} stay free`,
    { hint: 'Free space in its temporary directory (TMPDIR).', retryAfter: RETRY_AFTER_SECONDS },
  );
}

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;

/** Removes what killed servers have left of uploads. Directories of processes that run are theirs. */
export async function sweepUploads(log: FastifyBaseLogger, root = tmpdir()): Promise<void> {
  for (const name of await readdir(root)) {
    const [found, pid] = DIRECTORY.exec(name) ?? [];
    if (found === undefined || Number(pid) === process.pid) continue;
    const path = join(root, name);
    try {
      const { mtimeMs } = await stat(path);
      const isOld = Date.now() - mtimeMs > OLD_MS;
      if (!isOld && (pid === undefined || isAlive(Number(pid)))) continue;
      await rm(path, { recursive: true, force: true });
      log.info({ directory: name }, 'a leftover upload was removed');
    } catch (error) {
      // Another user's, or removed by another server at the same moment.
      log.debug({ directory: name, code: codeOf(error) }, 'a leftover upload could not be removed');
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

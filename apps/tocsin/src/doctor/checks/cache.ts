import { randomUUID } from 'node:crypto';
import { link, mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, messageOf } from '@tocsin/core';
import { bytesText, cacheDirectory, hubCacheDirectory } from '@tocsin/models';
import type { Check, Circumstances } from '../checkup.js';
import { type Finding, note, ok, problem } from '../finding.js';

const SUBJECT = 'cache';
/** The largest released backbone in bfloat16 is 16 GB; the starter takes 0.5. */
const COMFORTABLE = 2e9;

/** Where models are kept: writable, roomy, and on one file system with the hub's cache, so that weights need no copy. */
export const cacheCheck: Check = {
  subject: SUBJECT,
  look: async ({ env, cacheDir }: Circumstances) => {
    const dir = cacheDirectory({ env, cacheDir });
    const room = await roomIn(dir);
    return room.verdict === 'problem' ? [room] : [room, await linksFrom(hubCacheDirectory(env), dir)];
  },
};

async function roomIn(dir: string): Promise<Finding> {
  try {
    await mkdir(dir, { recursive: true });
    const probe = join(dir, `.doctor-${randomUUID()}`);
    await writeFile(probe, '');
    await rm(probe);
    const { bavail, bsize } = await statfs(dir);
    const free = bavail * bsize;
    const says = `${dir}, ${bytesText(free)} free`;
    if (free >= COMFORTABLE) return ok(SUBJECT, says);
    return note(
      SUBJECT,
      says,
      'Free some space (tocsin guards remove), or name another directory with TOCSIN_CACHE.',
    );
  } catch (error) {
    return problem(
      SUBJECT,
      `${dir} cannot be written: ${messageOf(error)}`,
      'Name another directory with TOCSIN_CACHE or --cache-dir.',
    );
  }
}

/** Compiled guards are hard links into the hub's cache where the file system allows it. */
async function linksFrom(hubCache: string, dir: string): Promise<Finding> {
  const from = join(await existing(hubCache), `.doctor-${randomUUID()}`);
  const to = join(dir, `.doctor-${randomUUID()}`);
  try {
    await writeFile(from, '');
    await link(from, to);
    return ok('hub cache', `${hubCache}; its weights are used in place (hard links)`);
  } catch (error) {
    const why = codeOf(error) === 'EXDEV' ? 'it is on another file system' : messageOf(error);
    return note(
      'hub cache',
      `${hubCache}; its weights would be copied: ${why}`,
      'To save the space of the copies, put both on one file system (HF_HOME, TOCSIN_CACHE).',
    );
  } finally {
    await Promise.all([rm(from, { force: true }), rm(to, { force: true })]);
  }
}

/** The directory, or where it would be made. */
async function existing(dir: string): Promise<string> {
  try {
    await statfs(dir);
    return dir;
  } catch {
    return dirname(dir) === dir ? dir : existing(dirname(dir));
  }
}

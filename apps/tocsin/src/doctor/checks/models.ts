import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, messageOf, redactUrls } from '@tocsin/core';
import { type DeviceVerdict, Guard } from '@tocsin/engine';
import {
  bytesText,
  cacheDirectory,
  findPip,
  type HubSettings,
  hubCacheDirectory,
  hubSettings,
  reachHub,
  starterBackboneFile,
} from '@tocsin/models';
import { type Check, type Circumstances, type Finding, hintOf, note, ok, problem } from '../checkup.js';

const CACHE = 'cache';
/** The largest released backbone takes 16 GB in bfloat16; the starter 0.5. */
const COMFORTABLE = 2e9;

/**
 * The model cache: writable, with enough space, and on the same file system as the hub's cache, so that weights can be
 * linked.
 */
export const cacheCheck: Check = {
  subject: CACHE,
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
    if (free >= COMFORTABLE) return ok(CACHE, says);
    return note(
      CACHE,
      says,
      'Free some space (tocsin guards remove), or name another directory with TOCSIN_CACHE.',
    );
  } catch (error) {
    return problem(
      CACHE,
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

/** The directory, or its closest existing parent. */
async function existing(dir: string): Promise<string> {
  try {
    await statfs(dir);
    return dir;
  } catch {
    return dirname(dir) === dir ? dir : existing(dirname(dir));
  }
}

const HUB = 'model hub';
const PATIENCE_MS = 15_000;

/** The model hub: whether it is reachable and accepts the token. Guards on disk and the starter do not need it. */
export const hubCheck: Check = {
  subject: HUB,
  look: async ({ env }) => {
    let settings: HubSettings;
    try {
      settings = await hubSettings(env);
    } catch (error) {
      return [note(HUB, messageOf(error), hintOf(error, 'Correct the setting.'))];
    }
    if (settings.offline !== undefined) {
      return [
        note(HUB, `not asked: ${settings.offline} is set`, 'Unset it to fetch guards that are not cached.'),
      ];
    }
    return [await reach(settings)];
  },
};

async function reach(settings: HubSettings): Promise<Finding> {
  const where = redactUrls(settings.endpoint);
  try {
    const token = await reachHub(settings, AbortSignal.timeout(PATIENCE_MS));
    const from = settings.token?.from ?? '';
    if (token === 'refused') {
      return note(
        HUB,
        `${where} answers, and refuses the token of ${from}`,
        'Create another token on the hub, or remove this one: public guards need none.',
      );
    }
    const tokenText = {
      none: 'no token (only gated backbones such as Llama need one: HF_TOKEN)',
      accepted: `token of ${from} is accepted`,
      unknown: `token of ${from}, which this mirror does not check`,
    }[token];
    return ok(HUB, `${where} answers; ${tokenText}`);
  } catch (error) {
    return note(
      HUB,
      `${where} does not answer: ${redactUrls(messageOf(error))}`,
      'Needed for guards by name only. Check the network, HTTPS_PROXY and HF_ENDPOINT; the starter guard and local directories need no hub.',
    );
  }
}

const PIP = 'starter guard';

/** Its backbone is distributed as a Python package: pip is needed once. */
export const pipCheck: Check = {
  subject: PIP,
  look: async ({ env, cacheDir }) => {
    if (existsSync(starterBackboneFile({ env, cacheDir }))) {
      return [ok(PIP, 'its backbone is in the cache')];
    }
    try {
      const { command, args } = await findPip(env);
      return [ok(PIP, `not fetched yet; ${[command, ...args].join(' ')} can download it`)];
    } catch (error) {
      return [
        note(
          PIP,
          `not fetched, and ${messageOf(error)}`,
          'Install Python with pip (or name one with TOCSIN_PYTHON), or use another guard.',
        ),
      ];
    }
  },
};

const GUARD = 'guard';

/** For a named guard only: opens it (downloading and compiling what is missing) and loads it. */
export const guardCheck: Check = {
  subject: GUARD,
  look: async ({ guard: asked, cacheDir }) => {
    if (asked === undefined) return [];
    const { ref, ...options } = asked;
    try {
      const started = performance.now();
      const guard = await Guard.fromPretrained(ref, { ...options, cacheDir });
      const { task, precision, device, fingerprint, check } = guard.info;
      await guard.close();
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      return [
        ok(
          GUARD,
          `${ref} loads in ${seconds} s: ${task}, ${precision} on ${device}, fingerprint ${fingerprint.slice(0, 12)}`,
        ),
        ...(check === undefined ? [] : [ok(device, checkText(check))]),
      ];
    } catch (error) {
      return [problem(GUARD, `${ref}: ${messageOf(error)}`, hintOf(error, 'See the other findings.'))];
    }
  },
};

/** The result of comparing a device with the CPU. */
function checkText({ device, driver, onnxruntime, score, features }: DeviceVerdict): string {
  return `checked against the CPU (${device}, driver ${driver}, onnxruntime ${onnxruntime}): scores differ by ${score.toPrecision(2)} at most, what the head reads by ${(100 * features).toPrecision(2)} %`;
}

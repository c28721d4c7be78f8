import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '@tocsin/errors';
import { namedBackbone } from './base-model.js';
import type { CacheOptions } from './cache-directory.js';
import { pathKind } from './path-kind.js';
import { resolveBackbone } from './resolve-backbone.js';
import type { ArtifactSource, GuardSource, ModelEvent } from './sources.js';
import { fetchStarterBackbone, starterArtifact } from './starter.js';

const CONFIG_FILE = 'siren_config.json';
const WEIGHTS_FILE = 'siren.safetensors';
const HUB_ID = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

const WHAT_A_GUARD_IS = [
  'A guard is given as',
  '  starter                     the small guard that comes with Tocsin',
  `  <directory>                 an artifact: ${CONFIG_FILE} and ${WEIGHTS_FILE}`,
  `  <directory>/${CONFIG_FILE}`,
].join('\n');

export interface ResolveGuardOptions extends CacheOptions {
  /** A directory or a .gguf file to use instead of the backbone that the artifact names. */
  backbone?: string | undefined;
  onEvent?: ((event: ModelEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Find a guard's files, and fetch what has to be fetched (only `starter` does, once).
 *
 * @param ref `starter` (a directory of that name is `./starter`), an artifact's directory, or its siren_config.json
 * @throws UserError when a file is missing or `ref` can be nothing of that; the signal's reason when aborted
 */
export async function resolveGuard(ref: string, options: ResolveGuardOptions = {}): Promise<GuardSource> {
  if (ref === 'starter') {
    const backbone =
      options.backbone === undefined
        ? { kind: 'gguf' as const, file: await fetchStarterBackbone(options) }
        : await resolveBackbone(options.backbone);
    return { name: 'starter', artifact: starterArtifact(), backbone };
  }
  const dir = await artifactDirectory(ref);
  const artifact = await artifactIn(dir);
  const backbone =
    options.backbone === undefined
      ? await namedBackbone(artifact.config)
      : await resolveBackbone(options.backbone);
  return { name: nameOf(dir), artifact, backbone };
}

async function artifactDirectory(ref: string): Promise<string> {
  if (ref.trim() === '')
    throw new UserError('no guard is given: the name is empty', { hint: WHAT_A_GUARD_IS });
  const path = resolve(ref);
  const kind = await pathKind(path);
  if (kind === 'directory') return path;
  if (basename(path) === CONFIG_FILE) return dirname(path);
  if (kind === 'nothing' && HUB_ID.test(ref)) {
    throw new UserError(
      `guard ${ref}: there is no directory ${path}, and this version of Tocsin cannot fetch a guard from the hub by its name yet`,
      {
        hint:
          `Download ${CONFIG_FILE} and ${WEIGHTS_FILE} of ${ref} into a directory, and its backbone into another; ` +
          'then give --guard <directory> --backbone <directory>.',
      },
    );
  }
  const what = kind === 'nothing' ? 'does not exist' : `is no directory and no ${CONFIG_FILE}`;
  const hint = path.toLowerCase().endsWith('.gguf')
    ? `This looks like a backbone: give it with --backbone.\n${WHAT_A_GUARD_IS}`
    : WHAT_A_GUARD_IS;
  throw new UserError(`guard ${ref}: ${path} ${what}`, { hint });
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
  await requireFile(weights, `It holds the guard's head; it is released together with ${CONFIG_FILE}.`);
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

/** Releases often lie in `<name>/artifact`, and `artifact` tells nobody which guard it is. */
function nameOf(dir: string): string {
  const name = basename(dir);
  return (name === 'artifact' ? basename(dirname(dir)) : name) || dir;
}

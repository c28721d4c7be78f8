import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserError } from '@tocsin/core';
import { listCompiled } from '@tocsin/engine';
import {
  cacheDirectory,
  cachedRepo,
  cachedRepos,
  labelOf,
  parseHubRef,
  pathsOfRepo,
  readNamedModel,
  repoUsage,
  resolveArtifact,
  STARTER,
  starterBackboneFile,
} from '@tocsin/models';

/** A file or directory to remove. */
export interface Removal {
  /** Description. */
  what: string;
  paths: string[];
}

export interface RemovalFlags {
  backbone?: boolean;
  compiled?: boolean;
  cacheDir?: string;
}

/**
 * Lists what removing a guard from the caches deletes. The user's own directories are never included.
 * @throws UserError when there is nothing to remove
 */
export async function planRemoval(ref: string, flags: RemovalFlags): Promise<Removal[]> {
  const repo = await hubRepoOf(ref);
  const removals = repo === undefined ? await ownGuard(ref, flags) : await hubGuard(repo, flags);
  if (removals.length > 0) return removals;
  throw new UserError(`nothing of the guard ${ref} is in the caches that this would remove`, {
    hint: '`tocsin guards list` shows what is there. --backbone and --compiled remove those parts too.',
  });
}

/**
 * Compiled guards from older versions of Tocsin.
 * @throws UserError when there is none
 */
export async function planUnused(flags: RemovalFlags): Promise<Removal[]> {
  const compiled = await listCompiled(cacheDirectory(flags));
  const removals = compiled
    .filter(({ current }) => !current)
    .map(({ guard = 'a guard', dir }) => ({
      what: `${guard}, compiled by an older version`,
      paths: [dir],
    }));
  if (removals.length > 0) return removals;
  throw new UserError(`every compiled guard in ${cacheDirectory(flags)} is of this version`);
}

async function hubRepoOf(ref: string): Promise<string | undefined> {
  if (ref === STARTER || (await stat(resolve(ref)).catch(() => undefined)) !== undefined) return undefined;
  const hubRef = parseHubRef(ref);
  if (hubRef?.revision === undefined) return hubRef?.repo;
  throw new UserError(`${ref}: a guard is removed with all its revisions`, { hint: `Give ${hubRef.repo}.` });
}

/** The starter, or an artifact in a directory: only the compiled guard is in a cache. */
async function ownGuard(ref: string, flags: RemovalFlags): Promise<Removal[]> {
  const { artifact } = await resolveArtifact(ref);
  const label = labelOf(artifact);
  const removals = flags.compiled === true ? await compiledAs((guard) => guard === label, flags) : [];
  if (ref === STARTER && flags.backbone === true) {
    const file = starterBackboneFile(flags);
    if ((await stat(file).catch(() => undefined)) !== undefined) {
      removals.push({ what: "the starter guard's backbone", paths: [dirname(file)] });
    }
  }
  return removals;
}

async function hubGuard(repo: string, flags: RemovalFlags): Promise<Removal[]> {
  const removals: Removal[] = [];
  // Read from the artifact before it is deleted.
  const backbones = flags.backbone === true ? await backbonesOf(repo) : [];
  if ((await repoUsage(repo)).bytes > 0)
    removals.push({ what: `the artifact ${repo}`, paths: pathsOfRepo(repo) });
  for (const backbone of backbones) {
    const others = await guardsOn(backbone, repo);
    const shared = others.length === 0 ? '' : `, which is also the backbone of ${others.join(', ')}`;
    removals.push({ what: `the backbone ${backbone}${shared}`, paths: pathsOfRepo(backbone) });
  }
  if (flags.compiled === true) {
    removals.push(...(await compiledAs((guard) => guard.startsWith(`${repo}@`), flags)));
  }
  return removals;
}

async function compiledAs(fits: (guard: string) => boolean, flags: RemovalFlags): Promise<Removal[]> {
  const compiled = await listCompiled(cacheDirectory(flags));
  return compiled
    .filter(({ guard }) => guard !== undefined && fits(guard))
    .map(({ guard, dir }) => ({ what: `the compiled guard ${guard}`, paths: [dir] }));
}

/** Cached repositories that a cached guard names as its backbone. */
async function backbonesOf(repo: string): Promise<string[]> {
  const named = new Set<string>();
  for (const { dir, isGuard } of (await cachedRepo(repo))?.commits ?? []) {
    if (!isGuard) continue;
    const { modelId } = await readNamedModel(`${dir}/siren_config.json`);
    if (parseHubRef(modelId) !== undefined && (await cachedRepo(modelId)) !== undefined) named.add(modelId);
  }
  return [...named];
}

/** Other cached guards with this backbone. */
async function guardsOn(backbone: string, except: string): Promise<string[]> {
  const guards: string[] = [];
  for (const { repo } of await cachedRepos()) {
    if (repo !== except && (await backbonesOf(repo)).includes(backbone)) guards.push(repo);
  }
  return guards;
}

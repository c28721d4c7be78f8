import { rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { UserError } from '@tocsin/core';
import { listCompiled } from '@tocsin/engine';
import {
  bytesText,
  cacheDirectory,
  cachedRepo,
  cachedRepos,
  diskUsage,
  labelOf,
  parseHubRef,
  pathsOfRepo,
  readNamedModel,
  repoUsage,
  resolveArtifact,
  STARTER,
  starterBackboneFile,
} from '@tocsin/models';
import { Command } from 'commander';

interface RemoveFlags extends RemovalFlags {
  unused?: boolean;
  yes?: boolean;
}

/** `tocsin guards remove`: removes guards from the caches, after listing what will be deleted. */
export function removeCommand(): Command {
  return new Command('remove')
    .description("Remove a guard's artifact from the hub's cache, which Python's clients share")
    .argument('[ref]', 'owner/name on the hub, starter, or an artifact directory')
    .option('--backbone', 'also remove its backbone')
    .option('--compiled', 'also remove its compiled guards')
    .option('--unused', 'remove compiled guards of older versions instead')
    .option('--yes', 'do not ask')
    .option('--cache-dir <dir>', 'cache directory of compiled guards (TOCSIN_CACHE)')
    .action(remove);
}

async function remove(ref: string | undefined, flags: RemoveFlags): Promise<void> {
  const removals = await plan(ref, flags);
  for (const { what, paths } of removals) {
    console.log(`${what}: ${bytesText((await diskUsage(...paths)).bytes)} (${paths[0]})`);
  }
  const paths = removals.flatMap((removal) => removal.paths);
  const { freed } = await diskUsage(...paths);
  if (flags.yes !== true && !(await confirmed(`Remove this, and free ${bytesText(freed)}?`))) {
    console.log('Nothing was removed.');
    return;
  }
  for (const path of paths) await rm(path, { recursive: true, force: true, maxRetries: 3 });
  console.log(`Removed; ${bytesText(freed)} are free again.`);
}

function plan(ref: string | undefined, flags: RemoveFlags): Promise<Removal[]> {
  if (flags.unused === true && ref === undefined) return planUnused(flags);
  if (ref !== undefined && flags.unused !== true) return planRemoval(ref, flags);
  throw new UserError('expected either a guard or --unused', {
    hint: '`tocsin guards list` shows the cached guards.',
  });
}

async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UserError('cannot ask for confirmation without a terminal; nothing was removed', {
      hint: 'Use --yes to skip the confirmation.',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** A file or directory to remove. */
interface Removal {
  /** Description. */
  what: string;
  paths: string[];
}

interface RemovalFlags {
  backbone?: boolean;
  compiled?: boolean;
  cacheDir?: string;
}

/**
 * Lists what removing a guard from the caches deletes. The user's own directories are never included.
 * @throws UserError when there is nothing to remove
 */
async function planRemoval(ref: string, flags: RemovalFlags): Promise<Removal[]> {
  const repo = await hubRepoOf(ref);
  const removals = repo === undefined ? await ownGuard(ref, flags) : await hubGuard(repo, flags);
  if (removals.length > 0) return removals;
  throw new UserError(`the caches contain nothing of the guard ${ref} to remove`, {
    hint: '`tocsin guards list` shows the cached guards. --backbone and --compiled remove those parts too.',
  });
}

/**
 * Compiled guards from older versions of Tocsin.
 * @throws UserError when there is none
 */
async function planUnused(flags: RemovalFlags): Promise<Removal[]> {
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

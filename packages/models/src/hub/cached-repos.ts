import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import type { Environment } from '../cache/cache-directory.js';
import { type DiskUsage, diskUsage } from '../cache/disk.js';
import { CONFIG_FILE, WEIGHTS_FILE } from './fetch-guard.js';
import { CachedRepo } from './hub-cache.js';
import { COMMIT } from './hub-ref.js';
import { hubCacheDirectory } from './hub-settings.js';

/** A repository in the cache. */
export interface CachedRepoInfo {
  repo: string;
  dir: string;
  commits: CachedCommit[];
}

interface CachedCommit {
  commit: string;
  /** Its directory, with the files. */
  dir: string;
  /** Branches and tags that last resolved to it. */
  revisions: string[];
  /** Both files of an artifact are present. */
  isGuard: boolean;
}

/**
 * The models in the cache. (`scanCacheDir` of `@huggingface/hub` skips repositories without refs, such as pinned
 * backbones.)
 */
export async function cachedRepos(env: Environment = process.env): Promise<CachedRepoInfo[]> {
  const cacheDir = hubCacheDirectory(env);
  const repos: CachedRepoInfo[] = [];
  for (const folder of (await namesIn(cacheDir)).sort()) {
    const [, owner, name] = /^models--([^/]+?)--(.+)$/.exec(folder) ?? [];
    if (owner === undefined || name === undefined) continue;
    const info = await infoOf(new CachedRepo(cacheDir, `${owner}/${name}`));
    if (info.commits.length > 0) repos.push(info);
  }
  return repos;
}

/** A repository in the cache; undefined when absent. */
export async function cachedRepo(
  repo: string,
  env: Environment = process.env,
): Promise<CachedRepoInfo | undefined> {
  const info = await infoOf(new CachedRepo(hubCacheDirectory(env), repo));
  return info.commits.length === 0 ? undefined : info;
}

/** All paths to delete to remove a repository. */
export function pathsOfRepo(repo: string, env: Environment = process.env): string[] {
  const cached = new CachedRepo(hubCacheDirectory(env), repo);
  return [cached.dir, cached.locksDir];
}

/** The space a repository takes, complete or not. */
export function repoUsage(repo: string, env: Environment = process.env): Promise<DiskUsage> {
  return diskUsage(...pathsOfRepo(repo, env));
}

async function infoOf(cached: CachedRepo): Promise<CachedRepoInfo> {
  const revisionsOf = new Map<string, string[]>();
  for (const revision of await cached.revisions()) {
    const commit = await cached.readRef(revision);
    if (commit !== undefined) revisionsOf.set(commit, [...(revisionsOf.get(commit) ?? []), revision]);
  }
  const commits: CachedCommit[] = [];
  for (const commit of await namesIn(join(cached.dir, 'snapshots'))) {
    if (!COMMIT.test(commit)) continue;
    commits.push({
      commit,
      dir: cached.snapshotDir(commit),
      revisions: revisionsOf.get(commit) ?? [],
      isGuard: (await cached.has(commit, CONFIG_FILE)) && (await cached.has(commit, WEIGHTS_FILE)),
    });
  }
  return { repo: cached.repo, dir: cached.dir, commits };
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return [];
    throw new UserError(`cannot look into the cache of models: ${messageOf(cause)}`, {
      hint: 'HF_HOME (or HF_HUB_CACHE) names another directory.',
      cause,
    });
  }
}

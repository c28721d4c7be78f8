import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listCompiled } from '@tocsin/engine';
import {
  bytesText,
  type CachedRepoInfo,
  cacheDirectory,
  cachedRepos,
  diskUsage,
  RELEASED_GUARDS,
  type ReleasedGuard,
  repoUsage,
  STARTER,
  starterBackboneFile,
} from '@tocsin/models';
import { Command } from 'commander';
import { columnLines } from '../terminal/table.js';

interface ListFlags {
  cacheDir?: string;
  json?: boolean;
}

/** Output of `tocsin guards list`; `--json` prints it unchanged. */
interface GuardList {
  /** The released guards and the starter. */
  released: (ReleasedGuard & { cachedBytes: number })[];
  /** Other guards in the hub's cache. */
  other: { ref: string; commits: string[]; cachedBytes: number }[];
  /** Compiled guards with their weights. `freedBytes`: not shared with a backbone's files. */
  compiled: {
    guard: string | null;
    fingerprint: string;
    bytes: number;
    freedBytes: number;
    current: boolean;
  }[];
}

/** `tocsin guards list` */
export function listCommand(): Command {
  return new Command('list')
    .description('List the released guards and the contents of the caches')
    .option('--cache-dir <dir>', 'directory of compiled guards (TOCSIN_CACHE)')
    .option('--json', 'print the list as JSON')
    .action(async (flags: ListFlags) => {
      const list = await guardList(flags);
      console.log(flags.json === true ? JSON.stringify(list) : listText(list));
    });
}

async function guardList(flags: ListFlags): Promise<GuardList> {
  const repos = await cachedRepos();
  const starter: GuardList['released'][number] = {
    ref: STARTER,
    task: 'content',
    backbone: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    gated: false,
    about: 'comes with Tocsin, to try it out',
    cachedBytes: (await diskUsage(starterBackboneFile(flags))).bytes,
  };
  const released = [starter];
  for (const guard of RELEASED_GUARDS) {
    released.push({ ...guard, cachedBytes: await cachedBytes(guard.ref, repos) });
  }
  const known = new Set(RELEASED_GUARDS.map(({ ref }) => ref));
  const other: GuardList['other'] = [];
  for (const { repo, commits } of repos) {
    const guards = commits.filter(({ isGuard }) => isGuard).map(({ commit }) => commit);
    if (guards.length === 0 || known.has(repo)) continue;
    other.push({ ref: repo, commits: guards, cachedBytes: await cachedBytes(repo, repos) });
  }
  const compiled: GuardList['compiled'] = [];
  for (const { dir, guard = null, fingerprint, current } of await listCompiled(cacheDirectory(flags))) {
    const { bytes, freed } = await diskUsage(dir);
    compiled.push({ guard, fingerprint, bytes, freedBytes: freed, current });
  }
  return { released, other, compiled };
}

async function cachedBytes(ref: string, repos: readonly CachedRepoInfo[]): Promise<number> {
  const whole = repos.some(({ repo, commits }) => repo === ref && commits.some(({ isGuard }) => isGuard));
  return whole ? (await repoUsage(ref)).bytes : 0;
}

function listText({ released, other, compiled }: GuardList): string {
  const cached = (bytes: number): string => (bytes === 0 ? '' : bytesText(bytes));
  const rows = [
    ...released.map(({ ref, task, backbone, gated, cachedBytes, about }) => [
      ref,
      task,
      `${backbone}${gated ? ' (gated)' : ''}`,
      cached(cachedBytes),
      about,
    ]),
    ...other.map(({ ref, cachedBytes }) => [ref, '', '', cached(cachedBytes), 'in the cache']),
  ];
  const tables = [columnLines(['guard', 'task', 'backbone', 'in the cache', 'about'], rows)];
  if (compiled.length > 0) {
    const lines = compiled.map(({ guard, fingerprint, bytes, freedBytes, current }) => [
      guard ?? '?',
      fingerprint.slice(0, 12),
      bytesText(bytes),
      bytesText(freedBytes),
      current ? '' : 'of an older version: `tocsin guards remove --unused`',
    ]);
    tables.push(columnLines(['compiled guard', 'fingerprint', 'bytes', 'of its own', 'about'], lines));
  }
  return tables.join('\n\n');
}

/**
 * Total size of files, and of the files directly in directories. Follows symbolic links, which the hub's cache uses.
 */
export async function bytesOfFiles(paths: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of paths) {
    const found = await stat(path);
    if (!found.isDirectory()) {
      bytes += found.size;
      continue;
    }
    for (const name of await readdir(path)) {
      const entry = await stat(join(path, name));
      if (entry.isFile()) bytes += entry.size;
    }
  }
  return bytes;
}

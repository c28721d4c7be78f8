import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@tocsin/core';
import { compiledRoot, LAYOUT_VERSION, MANIFEST, readManifest } from './compiled-guard.js';

/** A compiled guard in the cache. */
export interface CompiledEntry {
  dir: string;
  fingerprint: string;
  /** What it was compiled as: `starter`, `owner/name@commit` or a directory. */
  guard: string | undefined;
  /** False for one that an older version of Tocsin made and that is not used any more. */
  current: boolean;
}

/** The compiled guards in a cache directory, also those of older versions. */
export async function listCompiled(cacheDir: string): Promise<CompiledEntry[]> {
  const root = compiledRoot(cacheDir);
  const names = await readdir(root).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  const entries: CompiledEntry[] = [];
  for (const name of names.sort()) {
    const [, fingerprint, layout] = /^([0-9a-f]{64})-(\d+)$/.exec(name) ?? [];
    if (fingerprint === undefined) continue;
    const dir = join(root, name);
    const manifest = await readManifest(join(dir, MANIFEST));
    const current = Number(layout) === LAYOUT_VERSION && manifest !== undefined;
    entries.push({ dir, fingerprint, guard: manifest?.guard, current });
  }
  return entries;
}

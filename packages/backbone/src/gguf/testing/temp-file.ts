import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** A directory for a test file's own files, removed after its tests. Returns what writes a file there and gives its path. */
export function tempFiles(): (bytes: Uint8Array) => Promise<string> {
  let dir = '';
  let written = 0;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tocsin-gguf-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));
  return async (bytes) => {
    const path = join(dir, `${written++}.gguf`);
    await writeFile(path, bytes);
    return path;
  };
}

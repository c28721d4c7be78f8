import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A directory for a test file's own files, removed after its tests. @param parent instead of the system's own place */
export function tempDir(parent: string = tmpdir()): string {
  const dir = mkdtempSync(join(parent, 'tocsin-test-'));
  afterAll(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

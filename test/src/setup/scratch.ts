import { chmodSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';

/** A new directory that the embedded server's user can access; removed after the last test. */
export function scratchDir(): string {
  const dir = mkdtempSync(join(inject('scratch'), 'dir-'));
  chmodSync(dir, 0o755);
  return dir;
}

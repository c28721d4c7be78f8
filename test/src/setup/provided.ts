import { chmodSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';

/** A new directory that the embedded server's user can access; removed after the last test. */
export function scratchDir(): string {
  const dir = mkdtempSync(join(inject('scratch'), 'dir-'));
  chmodSync(dir, 0o755);
  return dir;
}

/** A result of the global set-up: a program, or why there is none. */
export type FoundProgram = { program: string } | { missing: string };

declare module 'vitest' {
  export interface ProvidedContext {
    redis: FoundProgram;
    chromium: FoundProgram;
    pgbouncer: FoundProgram;
    strace: FoundProgram;
  }
}

/** The path of a program. @throws Error saying what to install when it is missing */
export function foundProgram(name: 'redis' | 'chromium' | 'pgbouncer' | 'strace'): string {
  const found = inject(name);
  if ('missing' in found) throw new Error(found.missing);
  return found.program;
}

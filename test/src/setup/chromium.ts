import type { Browser } from 'playwright-core';
import { inject } from 'vitest';
import { launchChromium } from './launch-chromium.js';

/** What the global set-up found: a program, or why there is none. */
export type FoundChromium = { program: string } | { missing: string };

declare module 'vitest' {
  export interface ProvidedContext {
    chromium: FoundChromium;
  }
}

/** A browser for a test. */
export async function startChromium(): Promise<Browser> {
  const found = inject('chromium');
  if ('missing' in found) throw new Error(found.missing);
  return launchChromium(found.program);
}

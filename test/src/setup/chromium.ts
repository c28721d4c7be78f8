import type { Browser } from 'playwright-core';
import { foundProgram } from './found-program.js';
import { launchChromium } from './launch-chromium.js';

/** A browser for a test. */
export async function startChromium(): Promise<Browser> {
  return launchChromium(foundProgram('chromium'));
}

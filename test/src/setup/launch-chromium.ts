import { type Browser, chromium } from 'playwright-core';

/** Without its sandbox, which root cannot have; without shared memory, of which containers have little. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

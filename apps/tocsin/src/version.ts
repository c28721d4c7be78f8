import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('../package.json') as { version: string };

/** The version of the `tocsin` package. */
export const VERSION = manifest.version;

/** Time and version of a report. */
export function madeText(now = new Date()): string {
  return `${now.toISOString().slice(0, 16).replace('T', ' ')} UTC, by Tocsin ${VERSION}`;
}

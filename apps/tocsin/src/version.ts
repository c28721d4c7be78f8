/** Of the command, as `tocsin --version` and reports name it. */
export const VERSION = '0.1.0';

/** When and by what a report is made. */
export function madeText(now = new Date()): string {
  return `${now.toISOString().slice(0, 16).replace('T', ' ')} UTC, by Tocsin ${VERSION}`;
}

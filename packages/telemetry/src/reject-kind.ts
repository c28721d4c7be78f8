/** The kinds of reasons why a row is rejected, each with how such reasons are worded. The first that fits counts. */
const KINDS: readonly (readonly [kind: string, wording: RegExp])[] = [
  ['too_long', /bytes long|too long|longer than|limit of/i],
  ['encoding', /utf-?8|utf-?16|encod/i],
  ['json', /json/i],
  ['csv', /quot|column|delimiter|csv/i],
  ['missing', /missing|\bno\b|without/i],
  ['type', /must be|is not|not a|expected/i],
];

export const REJECT_KINDS = [...KINDS.map(([kind]) => kind), 'other'];

/**
 * What kind of reason it is. A reason may quote the row, and a metric must not: so only one of a few fixed words ever
 * leaves.
 */
export function rejectKind(reason: string): string {
  return KINDS.find(([, wording]) => wording.test(reason))?.[0] ?? 'other';
}

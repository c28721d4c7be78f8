import { randomFrom, randomRows } from '../setup/random-words.js';

/** A row with the fields that `tocsin eval` reads besides its text. */
export interface LabelledRow {
  id: string;
  text: string;
  label: number;
  where: string;
}

/** Mild rows of two groups with arbitrary labels. */
export function labelledRows(count: number, seed = 1): LabelledRow[] {
  const random = randomFrom(seed);
  return randomRows(count, 12, seed).map((row) => ({
    ...row,
    label: random(2),
    where: random(3) === 0 ? 'forum' : 'chat',
  }));
}

import { type Evaluation, FEW_ROWS } from './evaluate.js';
import { countText } from './format.js';

/** Notes on the numbers: what could not be computed and why, and what to be careful with. */
export function notesOn(evaluation: Evaluation): string[] {
  const { harmful, safe, confusion, atFalsePositiveRates, groups, bootstrap } = evaluation;
  const notes: string[] = [];
  if (harmful === 0)
    notes.push('No row is harmful: recall, Macro F1, AUC and average precision are undefined.');
  if (safe === 0) notes.push('No row is safe: false-positive rate, Macro F1 and AUC are undefined.');
  if (confusion.truePositives + confusion.falsePositives === 0) {
    notes.push('No row is flagged at this threshold: precision is undefined.');
  }
  const tooFine = atFalsePositiveRates.filter(({ limit }) => safe > 0 && safe * limit < 1);
  const finest = tooFine.at(-1);
  if (finest !== undefined) {
    const percent = Number((finest.limit * 100).toPrecision(3));
    notes.push(
      `With ${countText(safe)} safe rows, a false-positive rate of at most ${percent} % means no false positive at all.`,
    );
  }
  if (atFalsePositiveRates.some(({ limit, at }) => at === undefined && safe > 0 && limit > 0)) {
    notes.push('Where no threshold is given for a false-positive rate, even the highest score exceeds it.');
  }
  notes.push('Best thresholds were chosen on these very rows: on others they will do a little worse.');
  if (groups?.some(({ harmful: some, rows }) => some === 0 || some === rows)) {
    notes.push('A group of one class has no Macro F1 and no AUC (–).');
  }
  if (groups?.some(({ few }) => few)) notes.push(`* fewer than ${FEW_ROWS} rows: such measures say little.`);
  if (bootstrap !== undefined) {
    const left = Math.max(...Object.values(bootstrap.intervals).map((one) => one?.undefinedIn ?? 0));
    if (left > 0) {
      notes.push(
        `Some measure was undefined in ${countText(left)} resamples: its interval is of the others.`,
      );
    }
  }
  return notes;
}

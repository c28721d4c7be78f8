import { confusionAt } from './confusion.js';
import { labelled } from './labelled.js';
import { type Rates, ratesOf } from './rates.js';
import { auc } from './roc.js';
import { tallyOf } from './tally.js';

/** A group with fewer rows is marked: its measures say little (a share of 30 rows is known to about 0.18 either way). */
export const FEW_ROWS = 30;

/** The measures of the rows that share a value of the group field. */
export interface GroupMeasures extends Rates {
  group: string;
  rows: number;
  harmful: number;
  flagged: number;
  auc: number | undefined;
  /** Fewer than `FEW_ROWS` rows. */
  few: boolean;
}

/** A row with its group. */
export interface GroupedRow {
  score: number;
  label: 0 | 1;
  group: string;
}

/** One entry for each group, the largest first; equals by name. */
export function groupMeasures(rows: Iterable<GroupedRow>, threshold: number): GroupMeasures[] {
  const members = new Map<string, { scores: number[]; labels: number[] }>();
  for (const { score, label, group } of rows) {
    let own = members.get(group);
    if (own === undefined) {
      own = { scores: [], labels: [] };
      members.set(group, own);
    }
    own.scores.push(score);
    own.labels.push(label);
  }
  return [...members]
    .map(([group, { scores, labels }]): GroupMeasures => {
      const tally = tallyOf(labelled(scores, labels));
      const confusion = confusionAt(tally, threshold);
      return {
        group,
        rows: scores.length,
        harmful: tally.totals.harmful,
        flagged: confusion.truePositives + confusion.falsePositives,
        ...ratesOf(confusion),
        auc: auc(tally),
        few: scores.length < FEW_ROWS,
      };
    })
    .sort((a, b) => b.rows - a.rows || (a.group < b.group ? -1 : 1));
}

import { countText } from '@tocsin/evaluate';
import type { ProblemReason, RunCounts } from '@tocsin/store';
import { reasonLines } from '../terminal/problems.js';
import { fieldLines } from '../terminal/table.js';

/** Result of a run. rows = scored + failed + rejected, and also fresh + fromCache + duplicates + rejected. */
export interface ScoreSummary
  extends Pick<RunCounts, 'rows' | 'scored' | 'fresh' | 'duplicates' | 'rejected' | 'failed' | 'truncated'> {
  /** Id, for `tocsin runs show <id>`. */
  run: number;
  /** `failed` when no row has a score. */
  state: 'done' | 'failed';
  /** Rows with a cached score. */
  fromCache: number;
  /** Rows with score >= threshold. */
  flagged: number;
  /** Why rows have no score, the most frequent reasons first. */
  reasons: ProblemReason[];
  /** Notes on the output. */
  notes: readonly string[];
  threshold: number;
  /** Tokens that went through the model. */
  tokens: number;
  /** From the first parcel to the last score. */
  scoringSeconds: number;
  tokensPerSecond: number;
  guard: string;
  precision: string;
  fingerprint: string;
}

/** The same with the output. */
export interface Summary extends ScoreSummary {
  out: string;
}

/** Prints the summary: as text to standard error, or as JSON to standard output. */
export function printSummary(summary: Summary, { json, quiet }: { json?: boolean; quiet?: boolean }): void {
  if (json === true) console.log(JSON.stringify(summary));
  else if (quiet !== true) console.error(summaryText(summary));
  else for (const line of [...reasonLines(summary.reasons), ...summary.notes]) console.error(line);
}

function summaryText(summary: Summary): string {
  const lines: [string, string][] = [
    ['rows', countText(summary.rows)],
    ['scored', `${countText(summary.scored)}${speed(summary)}`],
    ['new', countText(summary.fresh)],
    ['from cache', countText(summary.fromCache)],
    ['duplicates', countText(summary.duplicates)],
    ['rejected', countText(summary.rejected)],
    ...(summary.failed > 0 ? [['failed', countText(summary.failed)] as [string, string]] : []),
    ...(summary.truncated > 0 ? [['truncated', countText(summary.truncated)] as [string, string]] : []),
    ['flagged', `${countText(summary.flagged)} (score >= ${summary.threshold})`],
    ['out', summary.out === '-' ? 'standard output' : summary.out],
  ];
  return [...fieldLines(lines), ...reasonLines(summary.reasons), ...summary.notes].join('\n');
}

function speed(summary: Summary): string {
  if (summary.tokens === 0) return '';
  return ` (${countText(summary.tokens)} tokens in ${summary.scoringSeconds.toFixed(1)} s, ${countText(Math.round(summary.tokensPerSecond))} tokens/s)`;
}

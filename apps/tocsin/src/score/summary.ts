import type { ProblemReason, RunCounts } from '@tocsin/store';
import { reasonLines } from '../terminal/problems.js';
import { fieldLines } from '../terminal/table.js';

/** What a run came to. rows = scored + failed + rejected, and also fresh + fromCache + duplicates + rejected. */
export interface ScoreSummary
  extends Pick<RunCounts, 'rows' | 'scored' | 'fresh' | 'duplicates' | 'rejected' | 'failed' | 'truncated'> {
  /** Its id: `tocsin runs show <id>`. */
  run: number;
  /** `failed` when no row has a score. */
  state: 'done' | 'failed';
  /** Rows whose content had a score before. */
  fromCache: number;
  /** Rows with score >= threshold. */
  flagged: number;
  /** Why rows have no score, the most frequent reasons first. */
  reasons: ProblemReason[];
  /** What the person who wanted the output should know of it. */
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

/** The same, and where the scores went. */
export interface Summary extends ScoreSummary {
  out: string;
}

/** Prints the summary: for people on standard error, or as JSON on standard output. */
export function printSummary(summary: Summary, { json, quiet }: { json?: boolean; quiet?: boolean }): void {
  if (json === true) console.log(JSON.stringify(summary));
  else if (quiet !== true) console.error(summaryText(summary));
  else for (const line of [...reasonLines(summary.reasons), ...summary.notes]) console.error(line);
}

function summaryText(summary: Summary): string {
  const number = (value: number): string => Math.round(value).toLocaleString('en-US');
  const lines: [string, string][] = [
    ['rows', number(summary.rows)],
    ['scored', `${number(summary.scored)}${speed(summary, number)}`],
    ['new', number(summary.fresh)],
    ['from cache', number(summary.fromCache)],
    ['duplicates', number(summary.duplicates)],
    ['rejected', number(summary.rejected)],
    ...(summary.failed > 0 ? [['failed', number(summary.failed)] as [string, string]] : []),
    ...(summary.truncated > 0 ? [['truncated', number(summary.truncated)] as [string, string]] : []),
    ['flagged', `${number(summary.flagged)} (score >= ${summary.threshold})`],
    ['out', summary.out === '-' ? 'standard output' : summary.out],
  ];
  return [...fieldLines(lines), ...reasonLines(summary.reasons), ...summary.notes].join('\n');
}

function speed(summary: Summary, number: (value: number) => string): string {
  if (summary.tokens === 0) return '';
  return ` (${number(summary.tokens)} tokens in ${summary.scoringSeconds.toFixed(1)} s, ${number(summary.tokensPerSecond)} tokens/s)`;
}

import { countText, printable } from '@tocsin/evaluate';
import type { Pool } from '@tocsin/postgres';
import type { ProblemReason, Run } from '@tocsin/store';
import { oneLine } from './printable.js';

/** Reasons printed; the rest is only counted. */
export const SHOWN_PROBLEMS = 5;

/** A row's error as a sentence: rejects name their file and line (or row), others get their key. */
export function problemText(key: string, error: string): string {
  return oneLine(/, (line|row) \d+: /.test(error) ? error : `${printable(key)}: ${error}`);
}

/** Why rows have no score, the most frequent reasons first; empty when all have one. */
export async function reasonsOf(
  pool: Pool,
  { id, rejected, failed }: Pick<Run, 'id' | 'rejected' | 'failed'>,
): Promise<ProblemReason[]> {
  if (rejected + failed === 0) return [];
  const [{ withRetry }, { problemReasons }] = await Promise.all([
    import('@tocsin/postgres'),
    import('@tocsin/store'),
  ]);
  return withRetry(() => problemReasons(pool, id, SHOWN_PROBLEMS));
}

/** The same as text, each with one row as an example. */
export function reasonLines(reasons: readonly ProblemReason[]): string[] {
  if (reasons.length === 0) return [];
  return [
    'Why rows have no score:',
    ...reasons.map(({ rows, first }) => {
      const example = problemText(first.key, first.reason);
      return `  ${countText(rows)} ${rows === 1 ? 'row' : 'rows'}, e.g. ${example}`;
    }),
  ];
}

/** Prints why rows were left out to standard error. */
export function printProblems(leftOut: number, problems: readonly string[]): void {
  if (leftOut === 0) return;
  console.error(`${countText(leftOut)} ${leftOut === 1 ? 'row was' : 'rows were'} left out:`);
  for (const problem of problems) console.error(`  ${oneLine(problem)}`);
  if (leftOut > problems.length) console.error(`  and ${countText(leftOut - problems.length)} more`);
}

import { countText, printable } from '@tocsin/evaluate';

/** Reasons that are printed; the rest is counted. */
export const SHOWN_PROBLEMS = 5;

/** A row's error as a sentence that says which row: rejects name their file and line (or row), others need their key. */
export function problemText(key: string, error: string): string {
  return /, (line|row) \d+: /.test(error) ? error : `${printable(key)}: ${error}`;
}

/** Says on standard error why rows were left out. */
export function printProblems(leftOut: number, problems: readonly string[]): void {
  if (leftOut === 0) return;
  console.error(`${countText(leftOut)} ${leftOut === 1 ? 'row was' : 'rows were'} left out:`);
  for (const problem of problems) console.error(`  ${problem}`);
  if (leftOut > problems.length) console.error(`  and ${countText(leftOut - problems.length)} more`);
}

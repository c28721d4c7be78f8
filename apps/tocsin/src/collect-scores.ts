import type { ScoreRow, ScoreWriter } from '@tocsin/corpus';

/** A writer that keeps the scores in memory, in the order of the rows. */
export class CollectedScores implements ScoreWriter {
  readonly rows: ScoreRow[] = [];
  readonly readerGone = false;

  async write(rows: readonly ScoreRow[]): Promise<void> {
    for (const row of rows) this.rows.push(row);
  }

  async finish(): Promise<void> {}

  async abort(): Promise<void> {}
}

import type { RowContent, ScoreRow, ScoreWriter } from '@tocsin/corpus';
import type { Pool } from '@tocsin/postgres';
import { type ExportRow, exportRows } from '@tocsin/store';

export interface Exported {
  /** Rows with score >= threshold. */
  flagged: number;
  /** Rows that were read and could not be scored. */
  failed: number;
  /** Notes on the output. */
  notes: readonly string[];
}

/** A finished run. */
export interface ScoredRun {
  pool: Pool;
  runId: number;
  signal: AbortSignal;
  /** Whether stored texts are written too. */
  withText?: boolean;
  /** Only rows with at least this score. */
  min?: number;
}

/**
 * Writes every row of a run, with its score or the reason for having none, in corpus order. Ends the writer in any
 * case.
 */
export async function exportScores(
  run: ScoredRun,
  writer: ScoreWriter,
  threshold: number,
): Promise<Exported> {
  const exported: Exported = { flagged: 0, failed: 0, notes: [] };
  try {
    const { pool, runId, signal, min } = run;
    for await (const all of exportRows(pool, runId, signal, { texts: run.withText === true })) {
      const page = min === undefined ? all : all.filter(({ score }) => score !== null && score >= min);
      const rows = page.map((row) => scoreRow(row, threshold));
      exported.flagged += rows.filter((row) => row.harmful === true).length;
      exported.failed += page.filter((row) => row.error !== null).length;
      await writer.write(rows);
      if (writer.readerGone) break;
    }
    await writer.finish();
    exported.notes = writer.notes ?? [];
    return exported;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

function scoreRow(row: ExportRow, threshold: number): ScoreRow {
  const { key, score, tokens, truncated } = row;
  const item = row.json === null ? {} : { item: itemValue(row.json) };
  if (score === null || tokens === null) {
    const error = row.reject ?? row.error ?? 'no score was stored';
    return { key, error, unreadable: row.reject !== null, ...item };
  }
  return { key, score, harmful: score >= threshold, threshold, tokens, truncated, ...item };
}

/**
 * The item as submitted, with messages and tools parsed.
 * @param json a row's stored text
 */
export function itemValue(json: string): unknown {
  const content = JSON.parse(json) as RowContent;
  if (!('messages' in content)) return content;
  const { messages, tools } = content;
  return {
    messages: JSON.parse(messages) as unknown,
    ...(tools !== undefined && { tools: JSON.parse(tools) as unknown }),
  };
}

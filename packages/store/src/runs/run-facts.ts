import type { Retention, RunState } from '@tocsin/core';

/** What stands in a run's own row, and its guard's name. */
export interface RunFacts {
  id: number;
  /** What is scored. */
  name: string;
  /** The guard, as it was asked for. */
  guard: string;
  fingerprint: string;
  state: RunState;
  /** Why it failed, or who cancelled it where that was no person. */
  reason: string | null;
  threshold: number | null;
  retain: Retention;
  createdAt: Date;
  finishedAt: Date | null;
  /** When the process that waits for it was last heard of; null when no process has to wait for it. */
  seenAt: Date | null;
  rows: number;
  /** Of the rows: those whose content had no score when the run came to them. */
  fresh: number;
  known: number;
  duplicates: number;
  /** Rows that could not be read. */
  rejected: number;
  /** Rows whose text is longer than the guard reads. */
  truncated: number;
}

/** SQL: they, of `runs r` and `guards g`. */
export const RUN_FACTS = `r.id, r.name, g.ref as guard, g.fingerprint, r.state, r.reason, r.threshold, r.retain,
            r.created_at as "createdAt", r.finished_at as "finishedAt", r.seen_at as "seenAt",
            r.rows, r.fresh, r.known, r.duplicates, r.rejected, r.truncated`;

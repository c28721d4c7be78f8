import type { Retention, RunState } from './schema.js';

/** What stands in a run's own row, and its guard's name. */
export interface RunFacts {
  id: number;
  /** What is scored. */
  name: string;
  /** The guard, as it was asked for. */
  guard: string;
  fingerprint: string;
  state: RunState;
  threshold: number | null;
  retain: Retention;
  createdAt: Date;
  finishedAt: Date | null;
  rows: number;
  /** Of the rows: those whose content had no score when the run came to them. */
  fresh: number;
  known: number;
  duplicates: number;
  /** Rows that could not be read. */
  rejected: number;
}

/** SQL: they, of `runs r` and `guards g`. */
export const RUN_FACTS = `r.id, r.name, g.ref as guard, g.fingerprint, r.state, r.threshold, r.retain,
            r.created_at as "createdAt", r.finished_at as "finishedAt",
            r.rows, r.fresh, r.known, r.duplicates, r.rejected`;

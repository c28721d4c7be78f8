/** What has become of a run's rows. */
export interface RowCounts {
  /** Rows that have a score. */
  scored: number;
  /** Rows whose content ended in an error. */
  failed: number;
  /** Rows with score >= the run's threshold; 0 when it has none. */
  flagged: number;
}

/** The counts of the run `r`, for a lateral join. */
export const ROW_COUNTS = `
  select count(s.score) as scored, count(s.error) as failed,
         count(*) filter (where s.score >= r.threshold) as flagged
  from items i
  -- One look-up a row, whatever the planner thinks of the size of the tables.
  left join lateral (select score, error from scores
                     where guard_id = r.guard_id and content = i.content limit 1) s on true
  where i.run_id = r.id`;

import type { Pool } from '@tocsin/postgres';
import { endedFirings, endFiring, type FiringRow } from '@tocsin/store';
import type { Logger } from 'pino';
import type { ScheduleMeasures } from './measures.js';
import { messageTo } from './messages.js';
import { summarize } from './summary.js';

export interface EndOptions {
  pool: Pool;
  log: Logger;
  measures: ScheduleMeasures;
}

/**
 * Ends the firings whose runs are over: summary and message are stored in one transaction, so that a process that is
 * killed here has done both or neither.
 * @returns how many there were
 */
export async function endFirings(options: EndOptions): Promise<number> {
  const ended = await endedFirings(options.pool);
  for (const firing of ended) {
    if (firing.runState === 'done' && firing.runId !== null) await finish(firing, firing.runId, options);
    else await fail(firing, options);
  }
  return ended.length;
}

async function finish(firing: FiringRow, runId: number, { pool, log, measures }: EndOptions): Promise<void> {
  const summary = await summarize(pool, firing, runId);
  const message = messageTo(firing, firing, { type: 'run.done', data: summary });
  if (!(await endFiring(pool, firing, { state: 'done', summary, message }))) return;
  measures.onFiring('done');
  const { rows, new: fresh, flagged, newFlagged } = summary;
  log.info(
    { schedule: firing.schedule, firing: firing.id, run: runId, rows, new: fresh, flagged, newFlagged },
    'scheduled run done',
  );
}

async function fail(firing: FiringRow, { pool, log, measures }: EndOptions): Promise<void> {
  const { runId: run, runReason } = firing;
  const ended = firing.runState === 'failed' ? 'has failed' : 'was cancelled';
  const why = runReason === null ? '' : `: ${runReason}`;
  const reason = run === null ? 'its run was removed' : `run ${run} ${ended}${why}`;
  const message = messageTo(firing, firing, { type: 'run.failed', data: { run, reason } });
  if (!(await endFiring(pool, firing, { state: 'failed', reason, message }))) return;
  measures.onFiring('failed');
  log.warn({ schedule: firing.schedule, firing: firing.id, reason }, 'scheduled run failed');
}

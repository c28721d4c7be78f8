import { isOpen, type RunState, type RunSummary } from '@tocsin/contract';
import type { JSX } from 'preact';
import { count, counted, duration, percent } from '../format.js';

const WORDS: Record<RunState, string> = {
  submitting: 'reading rows',
  scoring: 'scoring',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** The state of a run. */
export function RunStateBadge({ state }: { state: RunState }): JSX.Element {
  const look = state === 'failed' ? ' alert' : isOpen(state) ? ' live' : '';
  return <span class={`badge${look}`}>{WORDS[state]}</span>;
}

/** The changing fields of a run; without progress it has finished. */
type Moving = Pick<RunSummary, 'state' | 'counters' | 'progress'>;

/** Progress of a run by tokens, which determine the time it takes. */
function partDone({ state, progress }: Moving): number {
  if (state === 'done') return 1;
  return progress === null || progress.tokens === 0 ? 0 : Math.min(1, progress.tokensDone / progress.tokens);
}

/** Progress bar, remaining time and throughput. */
export function RunProgress({ run }: { run: Moving }): JSX.Element {
  const { progress, counters, state } = run;
  const part = partDone(run);
  const left =
    progress?.secondsLeft == null
      ? state === 'submitting'
        ? `${counted(counters.rows, 'row')} so far`
        : 'waiting for a worker'
      : `${duration(progress.secondsLeft)} left`;
  const rate = progress?.contentsPerSecond ?? null;
  return (
    <div class="run-progress">
      <progress max={1} value={part} aria-label="Scored" />
      <span class="small soft row">
        <span>{percent(part)}</span>
        <span>{left}</span>
        {rate !== null && rate > 0 && <span>{count(Math.round(rate))} rows/s</span>}
      </span>
    </div>
  );
}

import { isOpen, type RunState, type RunSummary } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useLocation } from 'preact-iso';
import { VisibleText } from '../content/visible-text.js';
import { count, counted, duration, percent } from '../format.js';
import { Moment } from '../ui/figure.js';
import { Table } from '../ui/table.js';
import { useLiveRun } from './use-live-run.js';

/** Most runs with live updates: browsers open only six connections to a server. */
const LISTENERS = 3;

/** One line per run, with live progress. */
export function RunsTable({ runs }: { runs: readonly RunSummary[] }): JSX.Element {
  const live = new Set(
    runs
      .filter(({ state }) => isOpen(state))
      .slice(0, LISTENERS)
      .map(({ id }) => id),
  );
  return (
    <Table
      label="Runs"
      columns={[
        { name: '#', class: 'number' },
        'Run',
        'State',
        { name: 'Rows', class: 'number' },
        { name: 'Flagged', class: 'number' },
        { name: 'Rejected', class: 'number' },
        'Guard',
        'Started',
      ]}
    >
      {runs.map((run) => (
        <RunLine key={run.id} run={run} listen={live.has(run.id)} />
      ))}
    </Table>
  );
}

function RunLine({ run: known, listen }: { run: RunSummary; listen: boolean }): JSX.Element {
  const run = useLiveRun(known, listen);
  const { route } = useLocation();
  return (
    <tr
      class="run-line"
      onClick={({ target }) => {
        if ((target as Element).closest('a') === null) route(`/runs/${run.id}`);
      }}
    >
      <td class="number faint">{run.id}</td>
      <th scope="row" class="fill">
        <a href={`/runs/${run.id}`} dir="auto">
          <VisibleText text={run.name} />
        </a>
      </th>
      <td class="state">
        {isOpen(run.state) ? <RunProgress run={run} /> : <RunStateBadge state={run.state} />}
      </td>
      <td class="number">{count(run.counters.rows)}</td>
      <td class="number">
        {run.outcome?.flagged == null ? <span class="faint">{'\u2013'}</span> : count(run.outcome.flagged)}
      </td>
      <td class="number">{run.counters.rejected === 0 ? '\u2013' : count(run.counters.rejected)}</td>
      <td class="soft guard-name" title={run.guard}>
        {run.guard}
      </td>
      <td class="soft">
        <Moment at={run.createdAt} />
      </td>
    </tr>
  );
}

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

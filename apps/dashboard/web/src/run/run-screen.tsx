import { useQuery } from '@tanstack/preact-query';
import { isOpen, type Run } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useLocation, useRoute } from 'preact-iso';
import { isMissing } from '../api/request.js';
import { runAsk } from '../api/runs.js';
import { VisibleText } from '../content/visible-text.js';
import { count, counted } from '../format.js';
import { NoRun, NoScreen, Screen } from '../layout/screen.js';
import { RunProgress, RunStateBadge } from '../runs/runs-table.js';
import { useLiveRun } from '../runs/use-live-run.js';
import { Moment } from '../ui/figure.js';
import { Tabs } from '../ui/tabs.js';
import { WhenAnswered } from '../ui/when-answered.js';
import { ComparisonPanel } from './comparison-panel.js';
import { ExportPanel } from './export-panel.js';
import { RejectsPanel } from './rejects-panel.js';
import { RowsPanel } from './rows-panel.js';
import { RunActions } from './run-actions.js';
import { ThresholdPanel } from './threshold-panel.js';
import { useThreshold } from './use-threshold.js';

/** One run. */
export function RunScreen(): JSX.Element {
  const id = Number(useRoute().params.id);
  if (!Number.isSafeInteger(id) || id < 1) return <NoScreen />;
  return <AskedRun key={id} id={id} />;
}

function AskedRun({ id }: { id: number }): JSX.Element {
  const run = useQuery(runAsk(id));
  if (isMissing(run.error)) return <NoRun id={id} />;
  if (run.data === undefined) {
    return (
      <Screen title={`Run ${id}`}>
        <WhenAnswered of={run} what={`run ${id}`} lines={8}>
          {() => null}
        </WhenAnswered>
      </Screen>
    );
  }
  return <ShownRun run={run.data} />;
}

function ShownRun({ run: known }: { run: Run }): JSX.Element {
  const run = useLiveRun(known);
  const threshold = useThreshold(run);
  return (
    <Screen title={run.name} about={<RunFacts run={run} />} actions={<RunActions run={run} />}>
      {isOpen(run.state) && <RunProgress run={run} />}
      {run.reason !== null && !isOpen(run.state) && (
        <div class={run.state === 'failed' ? 'notice problem' : 'notice'}>
          <strong>{run.state === 'failed' ? 'This run failed' : 'This run was cancelled'}</strong>
          {run.reason.split('\n').map((line) => (
            <p key={line} dir="auto">
              <VisibleText text={line} />
            </p>
          ))}
        </div>
      )}
      {run.notes.length > 0 && (
        <div class="notice">
          <strong>How the corpus was read</strong>
          {run.notes.map((note) => (
            <p key={note} dir="auto">
              <VisibleText text={note} />
            </p>
          ))}
        </div>
      )}
      <ThresholdPanel run={run} threshold={threshold} />
      <RunTabs run={run} threshold={threshold.settled} />
    </Screen>
  );
}

function RunFacts({ run }: { run: Run }): JSX.Element {
  const { counters } = run;
  return (
    <>
      <span>
        <RunStateBadge state={run.state} />
      </span>
      <span>Run {run.id}</span>
      <span>{counted(counters.rows, 'row')}</span>
      {counters.known + counters.duplicates > 0 && (
        <span title="Rows whose content already had a score, or appears more than once in the corpus">
          {count(counters.known + counters.duplicates)} known
        </span>
      )}
      <span class="guard-name" title={run.guard}>
        {run.guard}
      </span>
      <span>
        {'started '}
        <Moment at={run.createdAt} />
      </span>
      {run.owner !== null && <span>by {run.owner}</span>}
    </>
  );
}

type Tab = 'rows' | 'rejects' | 'comparison' | 'export';
const TABS: readonly Tab[] = ['rows', 'rejects', 'comparison', 'export'];

/** The tabs of a run below its histogram. */
function RunTabs({ run, threshold }: { run: Run; threshold: number }): JSX.Element {
  const { query, path, route } = useLocation();
  const tab = TABS.find((known) => known === query.tab) ?? 'rows';
  const rejects = run.counters.rejected + run.outcome.failed;
  return (
    <Tabs<Tab>
      label="Details of the run"
      tabs={[
        { value: 'rows', label: 'Rows' },
        { value: 'rejects', label: rejects === 0 ? 'Rejects' : `Rejects ${count(rejects)}` },
        { value: 'comparison', label: 'Comparison' },
        { value: 'export', label: 'Export' },
      ]}
      value={tab}
      onChange={(value) => route(`${path}?${new URLSearchParams({ ...query, tab: value })}`, true)}
    >
      {tab === 'rows' && <RowsPanel run={run} threshold={threshold} />}
      {tab === 'rejects' && <RejectsPanel run={run} />}
      {tab === 'comparison' && <ComparisonPanel run={run} threshold={threshold} />}
      {tab === 'export' && <ExportPanel run={run} threshold={threshold} />}
    </Tabs>
  );
}

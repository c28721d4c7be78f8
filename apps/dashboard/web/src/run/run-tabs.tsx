import type { Run } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useLocation } from 'preact-iso';
import { count } from '../format/number.js';
import { Tabs } from '../ui/tabs.js';
import { ComparisonPanel } from './comparison-panel.js';
import { ExportPanel } from './export-panel.js';
import { RejectsPanel } from './rejects-panel.js';
import { RowsPanel } from './rows-panel.js';

type Tab = 'rows' | 'rejects' | 'comparison' | 'export';
const TABS: readonly Tab[] = ['rows', 'rejects', 'comparison', 'export'];

/** What there is to see of a run besides its histogram. */
export function RunTabs({ run, threshold }: { run: Run; threshold: number }): JSX.Element {
  const { query, path, route } = useLocation();
  const tab = TABS.find((known) => known === query.tab) ?? 'rows';
  const rejects = run.counters.rejected + run.outcome.failed;
  return (
    <Tabs<Tab>
      label="Of this run"
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

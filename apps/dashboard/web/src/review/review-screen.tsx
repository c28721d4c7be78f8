import { useQuery } from '@tanstack/preact-query';
import type { ReviewOrder, Run } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useLocation, useRoute } from 'preact-iso';
import { isMissing } from '../api/request.js';
import { runAsk } from '../api/runs.js';
import { VisibleText } from '../content/visible-text.js';
import { threshold as thresholdText } from '../format.js';
import { NoRun, NoScreen, Screen } from '../layout/screen.js';
import { useThreshold } from '../run/use-threshold.js';
import { useMay } from '../session/me.js';
import { Tabs } from '../ui/tabs.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';
import { ReviewDesk } from './review-desk.js';
import { ReviewSummaryPanel } from './review-summary-panel.js';

type Tab = 'queue' | 'summary';

const ORDERS: readonly { value: ReviewOrder; label: string }[] = [
  { value: 'uncertain', label: 'Closest to the threshold' },
  { value: 'score', label: 'Highest score first' },
  { value: 'random', label: 'At random' },
];

/** The review of one run: its queue and its summary. */
export function ReviewScreen(): JSX.Element {
  const id = Number(useRoute().params.run);
  if (!Number.isSafeInteger(id) || id < 1) return <NoScreen />;
  return <AskedReview key={id} id={id} />;
}

function AskedReview({ id }: { id: number }): JSX.Element {
  const run = useQuery(runAsk(id));
  if (isMissing(run.error)) return <NoRun id={id} />;
  if (run.data !== undefined) return <RunReview run={run.data} />;
  return (
    <Screen title={`Review of run ${id}`}>
      <WhenAnswered of={run} what={`run ${id}`}>
        {() => null}
      </WhenAnswered>
    </Screen>
  );
}

function RunReview({ run }: { run: Run }): JSX.Element {
  const { query, path, route } = useLocation();
  const mayReview = useMay('review');
  const threshold = useThreshold(run);
  const tab: Tab = query.tab === 'summary' || !mayReview ? 'summary' : 'queue';
  const order = ORDERS.find(({ value }) => value === query.order)?.value ?? 'uncertain';
  const second = query.second === 'true';
  const go = (changes: Record<string, string>): void =>
    route(`${path}?${new URLSearchParams({ ...query, ...changes })}`, true);
  const about = (
    <>
      <span>
        <a href={`/runs/${run.id}`} dir="auto">
          <VisibleText text={run.name} />
        </a>
      </span>
      <span>threshold {thresholdText(threshold.value)}</span>
    </>
  );
  return (
    <Screen title={`Review of run ${run.id}`} about={about}>
      <Tabs<Tab>
        label="Review"
        tabs={[
          ...(mayReview ? [{ value: 'queue' as const, label: 'Queue' }] : []),
          { value: 'summary', label: 'Summary' },
        ]}
        value={tab}
        onChange={(value) => go({ tab: value })}
      >
        {tab === 'summary' && <ReviewSummaryPanel run={run} policies={threshold.policies} />}
        {tab === 'queue' && run.textsKept === 0 && (
          <Empty title="The texts of this run were not stored">
            <p>
              Only rows with a stored text can be reviewed. Submit the corpus again with{' '}
              <code>--retain all</code>: rows that have a score are not scored again.
            </p>
          </Empty>
        )}
        {tab === 'queue' && run.textsKept > 0 && (
          <>
            <div class="row">
              <select
                aria-label="Order"
                value={order}
                onChange={({ currentTarget }) => go({ order: currentTarget.value })}
              >
                {ORDERS.map(({ value, label }) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </select>
              <label
                class="check"
                title="Rows judged by one other reviewer: a second verdict measures agreement"
              >
                <input
                  type="checkbox"
                  checked={second}
                  onChange={({ currentTarget }) => go({ second: String(currentTarget.checked) })}
                />
                Second opinions
              </label>
            </div>
            <ReviewDesk wanted={{ run: run.id, order, second, threshold: threshold.settled }} />
          </>
        )}
      </Tabs>
    </Screen>
  );
}

import { useQuery } from '@tanstack/preact-query';
import type { Policy, ReviewSummary, Run } from '@tocsin/contract';
import type { JSX } from 'preact';
import { labelsAddress, reviewSummaryAsk } from '../api/reviews.js';
import { count, counted, percent, threshold as thresholdText } from '../format.js';
import { rolesThatMay, useMay } from '../session/me.js';
import { Figure } from '../ui/figure.js';
import { Table } from '../ui/table.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';
import { EstimateCurves } from './estimate-curves.js';

interface ReviewSummaryPanelProps {
  run: Run;
  policies: readonly Policy[];
}

/** Results of a review: precision and recall of each threshold, and agreement between reviewers. */
export function ReviewSummaryPanel({ run, policies }: ReviewSummaryPanelProps): JSX.Element {
  const summary = useQuery(reviewSummaryAsk(run.id));
  return (
    <WhenAnswered of={summary} what="the summary" lines={8}>
      {(data) =>
        data.judged === 0 ? (
          <NoVerdicts run={run} />
        ) : (
          <Results run={run} policies={policies} summary={data} />
        )
      }
    </WhenAnswered>
  );
}

function NoVerdicts({ run }: { run: Run }): JSX.Element {
  const mayReview = useMay('review');
  return (
    <Empty title="No verdicts yet">
      <p>
        With some dozens of verdicts, precision and recall of each threshold appear here, with their
        intervals.
      </p>
      {mayReview ? (
        <a class="button" href={`/review/${run.id}`}>
          Start reviewing
        </a>
      ) : (
        <p>Reviewing needs a key with the role {rolesThatMay('review')}.</p>
      )}
    </Empty>
  );
}

function Results({
  run,
  policies,
  summary,
}: ReviewSummaryPanelProps & { summary: ReviewSummary }): JSX.Element {
  const { judged, reviewers, agreement, thresholds } = summary;
  const mayReview = useMay('review');
  return (
    <>
      <dl class="figures">
        <Figure value={count(judged)} name={judged === 1 ? 'row judged' : 'rows judged'} />
        <Figure value={count(agreement.pairs)} name="judged twice" />
        {agreement.pairs > 0 && <Figure value={percent(agreement.agreed / agreement.pairs)} name="agreed" />}
        {agreement.kappa !== null && <Figure value={agreement.kappa.toFixed(2)} name="Cohen's kappa" />}
      </dl>
      <section class="panel" aria-label="Precision and recall curves">
        <h2>Precision and recall by threshold</h2>
        <EstimateCurves thresholds={thresholds} policies={policies} />
        {thresholds.some(({ precision, recall }) => precision === null || recall === null) && (
          <p class="small soft">
            Unknown where a range of scores has no verdicts. Review random rows to fill the gaps.
          </p>
        )}
      </section>
      <Table
        label="Precision and recall"
        columns={[
          { name: 'Threshold', class: 'number' },
          { name: 'Policy', class: 'fill' },
          { name: 'Flagged', class: 'number' },
          { name: 'Precision', class: 'number' },
          { name: 'Recall', class: 'number' },
        ]}
      >
        {rowsToShow(thresholds, policies).map(({ threshold, flagged, precision, recall, policy }) => (
          <tr key={threshold}>
            <td class="number">{thresholdText(threshold)}</td>
            <td>{policy ?? ''}</td>
            <td class="number">{count(flagged)}</td>
            <EstimateCell estimate={precision} />
            <EstimateCell estimate={recall} />
          </tr>
        ))}
      </Table>
      <Table
        label="Reviewers"
        columns={[
          'Reviewer',
          { name: 'Harmful', class: 'number' },
          { name: 'Fine', class: 'number' },
          { name: 'Skipped', class: 'number' },
        ]}
      >
        {reviewers.map(({ reviewer, harmful, fine, skip }) => (
          <tr key={reviewer}>
            <th scope="row" class="fill wrap" dir="auto">
              {reviewer}
            </th>
            <td class="number">{count(harmful)}</td>
            <td class="number">{count(fine)}</td>
            <td class="number">{count(skip)}</td>
          </tr>
        ))}
      </Table>
      {mayReview && (
        <div class="row">
          <a class="button" href={labelsAddress(run.id)} download>
            Labelled rows as JSONL
          </a>
          <span class="small soft">
            {counted(judged, 'row')} with verdicts, for <code>tocsin eval</code>
          </span>
        </div>
      )}
    </>
  );
}

function EstimateCell({
  estimate,
}: {
  estimate: ReviewSummary['thresholds'][number]['precision'];
}): JSX.Element {
  return (
    <td class="number">
      {estimate === null ? (
        <span class="faint">not known</span>
      ) : (
        <>
          {percent(estimate.value)}{' '}
          <span class="faint small">
            {percent(estimate.low)}
            {'\u2013'}
            {percent(estimate.high)}
          </span>
        </>
      )}
    </td>
  );
}

type ThresholdRow = ReviewSummary['thresholds'][number] & { policy: string | undefined };

const TENTH = 10;

/** The thresholds to show: those of policies, and every tenth. */
function rowsToShow(thresholds: ReviewSummary['thresholds'], policies: readonly Policy[]): ThresholdRow[] {
  return thresholds
    .map((row) => ({
      ...row,
      policy: policies.find(({ threshold }) => same(threshold, row.threshold))?.name,
    }))
    .filter(
      ({ policy, threshold }) =>
        policy !== undefined || same(threshold * TENTH, Math.round(threshold * TENTH)),
    );
}

function same(one: number, other: number): boolean {
  return Math.abs(one - other) < 1e-6;
}

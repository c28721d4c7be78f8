import { useInfiniteQuery } from '@tanstack/preact-query';
import type { JSX } from 'preact';
import { rowsOf } from '../api/request.js';
import { runsAsk } from '../api/runs.js';
import { VisibleText } from '../content/visible-text.js';
import { count } from '../format.js';
import { Screen } from '../layout/screen.js';
import { useMay } from '../session/me.js';
import { Moment } from '../ui/figure.js';
import { MoreButton } from '../ui/more-button.js';
import { Table } from '../ui/table.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';

/** The runs to review. */
export function ReviewsScreen(): JSX.Element {
  const runs = useInfiniteQuery(runsAsk({ state: 'done' }));
  const mayReview = useMay('review');
  return (
    <Screen
      title="Review"
      about="Verdicts measure the precision and recall of each threshold on your own texts."
    >
      <WhenAnswered of={runs} what="the runs">
        {(pages) => {
          const readable = rowsOf(pages).filter(({ retain }) => retain !== 'none');
          if (readable.length === 0) return <NothingToReview />;
          return (
            <Table
              label="Runs that can be reviewed"
              columns={[
                'Run',
                { name: 'Rows', class: 'number' },
                'Stored texts',
                'Started',
                { name: 'Actions', hidden: true },
              ]}
            >
              {readable.map(({ id, name, counters, retain, createdAt }) => (
                <tr key={id}>
                  <th scope="row" class="fill wrap" dir="auto">
                    <VisibleText text={`${id}: ${name}`} />
                  </th>
                  <td class="number">{count(counters.rows)}</td>
                  <td class="nowrap soft">{retain === 'all' ? 'all' : 'flagged rows'}</td>
                  <td class="soft">
                    <Moment at={createdAt} />
                  </td>
                  <td class="nowrap">
                    {mayReview && (
                      <a class="button small" href={`/review/${id}`} aria-label={`Review run ${id}`}>
                        Review
                      </a>
                    )}{' '}
                    <a
                      class="button plain small"
                      href={`/review/${id}?tab=summary`}
                      aria-label={`Summary of run ${id}`}
                    >
                      Summary
                    </a>
                  </td>
                </tr>
              ))}
            </Table>
          );
        }}
      </WhenAnswered>
      <MoreButton of={runs} />
    </Screen>
  );
}

function NothingToReview(): JSX.Element {
  return (
    <Empty title="Nothing to review yet">
      <p>A run can be reviewed when it is done and its texts are stored:</p>
      <pre>tocsin submit messages.jsonl --guard starter --retain all</pre>
      <p>
        Or submit a file on the <a href="/">runs page</a>.
      </p>
    </Empty>
  );
}

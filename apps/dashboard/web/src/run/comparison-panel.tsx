import { useInfiniteQuery, useQuery } from '@tanstack/preact-query';
import type { Comparison, Run } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { rowsOf } from '../api/request.js';
import { comparisonAsk, runsAsk } from '../api/runs.js';
import { ContentLine } from '../content/content-line.js';
import { VisibleText, visibleString } from '../content/visible-text.js';
import { count, moment, score, threshold as thresholdText } from '../format.js';
import { Field } from '../ui/field.js';
import { Figure } from '../ui/figure.js';
import { Table } from '../ui/table.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';

/** Changes since another run with the same keys. */
export function ComparisonPanel({ run, threshold }: { run: Run; threshold: number }): JSX.Element {
  const [other, setOther] = useState<number>();
  const runs = useInfiniteQuery(runsAsk({}));
  return (
    <WhenAnswered of={runs} what="the other runs">
      {(pages) => {
        const others = rowsOf(pages).filter(({ id }) => id !== run.id);
        if (others.length === 0) {
          return (
            <Empty title="No other run yet">
              <p>Score the same corpus again, or with another guard, to see which rows change sides.</p>
            </Empty>
          );
        }
        return (
          <>
            <Field label="Compare with">
              {(control) => (
                <select
                  {...control}
                  value={other ?? ''}
                  onChange={({ currentTarget }) =>
                    setOther(currentTarget.value === '' ? undefined : Number(currentTarget.value))
                  }
                >
                  <option value="">Choose a run</option>
                  {others.map(({ id, name, createdAt }) => (
                    <option key={id} value={id}>
                      {visibleString(`${id}: ${name}, ${moment(createdAt)}`)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            {other !== undefined && <Compared run={run} other={other} threshold={threshold} />}
          </>
        );
      }}
    </WhenAnswered>
  );
}

function Compared({ run, other, threshold }: { run: Run; other: number; threshold: number }): JSX.Element {
  const comparison = useQuery({
    ...comparisonAsk(run.id, other, threshold),
    placeholderData: (before) => before,
  });
  return (
    <WhenAnswered of={comparison} what="the comparison">
      {(data) => <ComparisonFigures comparison={data} />}
    </WhenAnswered>
  );
}

/** A rule of thumb for the population stability index. */
function drift(psi: number | null): string {
  if (psi === null) return 'no scores to compare';
  if (psi < 0.1) return 'the scores are similarly distributed';
  return psi < 0.25 ? 'the scores have shifted slightly' : 'the scores have shifted';
}

function ComparisonFigures({ comparison }: { comparison: Comparison }): JSX.Element {
  const { both, flippedUp, flippedDown, newRows, gone, psi, ks, examples, threshold } = comparison;
  return (
    <>
      <dl class="figures">
        <Figure value={count(flippedUp)} name="newly flagged" />
        <Figure value={count(flippedDown)} name="no longer flagged" />
        <Figure value={count(both)} name="rows in both" />
        <Figure value={count(newRows)} name="only in this run" />
        <Figure value={count(gone)} name="only in the other" />
      </dl>
      <p class="small soft">
        {`At threshold ${thresholdText(threshold)}; ${drift(psi)}`}
        {psi !== null && ks !== null && ` (PSI ${psi.toFixed(3)}, KS ${ks.toFixed(3)})`}.
      </p>
      {examples.length > 0 && (
        <Table
          label="Rows that differ most"
          columns={[{ name: 'Now', class: 'number' }, { name: 'Then', class: 'number' }, 'Text', 'Key']}
        >
          {examples.map((example) => (
            <tr key={example.seq}>
              <td class={example.score >= threshold ? 'number over-threshold' : 'number'}>
                {score(example.score)}
              </td>
              <td class={example.otherScore >= threshold ? 'number over-threshold' : 'number'}>
                {score(example.otherScore)}
              </td>
              <td class="fill">
                {example.excerpt === null ? (
                  <span class="faint">Text not stored</span>
                ) : (
                  <ContentLine content={example.excerpt} />
                )}
              </td>
              <td class="item-key soft">
                <bdi>
                  <VisibleText text={example.key} />
                </bdi>
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

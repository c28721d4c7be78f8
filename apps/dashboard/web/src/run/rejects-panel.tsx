import { useInfiniteQuery } from '@tanstack/preact-query';
import type { Run } from '@tocsin/contract';
import type { JSX } from 'preact';
import { rowsOf } from '../api/request.js';
import { rejectsAsk } from '../api/runs.js';
import { VisibleText } from '../content/visible-text.js';
import { count } from '../format.js';
import { MoreButton } from '../ui/more-button.js';
import { Table } from '../ui/table.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';

/** Rows without a score, with the reason. */
export function RejectsPanel({ run }: { run: Run }): JSX.Element {
  const rejects = useInfiniteQuery(rejectsAsk(run.id));
  return (
    <>
      <WhenAnswered of={rejects} what="the rejects">
        {(pages) => {
          const rows = rowsOf(pages);
          if (rows.length === 0) {
            return (
              <Empty title="No rejects">
                <p>Rows that could not be read or scored are listed here with the reason.</p>
              </Empty>
            );
          }
          return (
            <Table label="Rejects" columns={[{ name: 'Row', class: 'number' }, 'Key', 'What', 'Reason']}>
              {rows.map(({ seq, key, kind, reason }) => (
                <tr key={seq}>
                  <td class="number faint">{count(seq)}</td>
                  <td class="item-key">
                    <bdi>
                      <VisibleText text={key} />
                    </bdi>
                  </td>
                  <td class="nowrap soft">{kind === 'unreadable' ? 'unreadable' : 'not scored'}</td>
                  <td class="fill wrap" dir="auto">
                    <VisibleText text={reason} />
                  </td>
                </tr>
              ))}
            </Table>
          );
        }}
      </WhenAnswered>
      <MoreButton of={rejects} />
    </>
  );
}

import type { ItemRow } from '@tocsin/contract';
import type { JSX } from 'preact';
import { ContentLine } from '../content/content-line.js';
import { VisibleText } from '../content/visible-text.js';
import { count } from '../format/number.js';
import { Table } from '../ui/table.js';
import { ScoreMark } from './score-mark.js';

interface RowsTableProps {
  rows: readonly ItemRow[];
  threshold: number;
  onOpen: (row: ItemRow) => void;
}

/** Rows with their scores and the beginning of their texts; a click shows one in full. */
export function RowsTable({ rows, threshold, onOpen }: RowsTableProps): JSX.Element {
  return (
    <Table label="Rows" columns={['Score', 'Text', 'Key', { name: 'Row', class: 'number' }]}>
      {rows.map((row) => (
        <tr key={row.seq} class="item-line" onClick={() => onOpen(row)}>
          <td class="nowrap">
            <ScoreMark score={row.score} threshold={threshold} />
          </td>
          <td class="fill">
            <button type="button" class="opener">
              {row.excerpt === null ? (
                <span class="faint">
                  {row.reason === null ? 'Text not kept' : <VisibleText text={row.reason} />}
                </span>
              ) : (
                <ContentLine content={row.excerpt} />
              )}
            </button>
          </td>
          <td class="item-key soft" title={row.key}>
            <bdi>
              <VisibleText text={row.key} />
            </bdi>
          </td>
          <td class="number faint">{count(row.seq)}</td>
        </tr>
      ))}
    </Table>
  );
}

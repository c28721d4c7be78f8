import { useInfiniteQuery, useQuery } from '@tanstack/preact-query';
import { type ItemRow, type ItemsQuery, isOpen, type Run } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { rowsOf } from '../api/request.js';
import { histogramAsk, itemsAsk } from '../api/runs.js';
import { ContentLine } from '../content/content-line.js';
import { VisibleText } from '../content/visible-text.js';
import { count, threshold as thresholdText } from '../format.js';
import { ScoreMark } from '../ui/figure.js';
import { useSettled } from '../ui/hooks.js';
import { MoreButton } from '../ui/more-button.js';
import { Segments } from '../ui/segments.js';
import { Table } from '../ui/table.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';
import { ItemDialog } from './item-dialog.js';

type Side = 'flagged' | 'below' | 'all';
type Order = NonNullable<ItemsQuery['order']>;
const TYPING_MS = 300;
const READ_EVERY_MS = 3000;
/** Less than the gap between neighbouring float32 scores. */
const HAIR = 1e-9;

/** The rows of a run: flagged, not flagged, or all; with full-text search. */
export function RowsPanel({ run, threshold }: { run: Run; threshold: number }): JSX.Element {
  const [side, setSide] = useState<Side>('flagged');
  const [order, setOrder] = useState<Order>('score_desc');
  const [words, setWords] = useState('');
  const [open, setOpen] = useState<ItemRow>();
  const q = useSettled(words.trim(), TYPING_MS);
  // The same query as in the threshold panel, so that both agree whether the run has scores.
  const scores = useQuery(histogramAsk(run.id));
  const unscored = scores.data?.rows === 0;
  const range = { flagged: { min: threshold }, below: { max: justBelow(threshold) }, all: {} }[side];
  const rows = useInfiniteQuery({
    ...itemsAsk(run.id, {
      ...(unscored ? { order: 'seq' } : { ...range, order }),
      ...(q !== '' && { q }),
    }),
    enabled: scores.data !== undefined,
    placeholderData: (before) => before,
    refetchInterval: unscored && isOpen(run.state) ? READ_EVERY_MS : false,
  });
  return (
    <>
      <div class="row">
        {!unscored && (
          <>
            <Segments<Side>
              label="Rows"
              options={[
                {
                  value: 'flagged',
                  label: 'Flagged',
                  title: `Scores at or above ${thresholdText(threshold)}`,
                },
                { value: 'below', label: 'Not flagged', title: `Scores below ${thresholdText(threshold)}` },
                { value: 'all', label: 'All' },
              ]}
              value={side}
              onChange={setSide}
            />
            <select
              aria-label="Order"
              value={order}
              onChange={({ currentTarget }) => setOrder(currentTarget.value as Order)}
            >
              <option value="score_desc">Highest score first</option>
              <option value="score_asc">Lowest score first</option>
              <option value="seq">Corpus order</option>
            </select>
          </>
        )}
        {run.textsKept > 0 && (
          <input
            type="search"
            class="grow words"
            aria-label="Search in texts"
            placeholder={'Search in texts: words, "a phrase", -excluded'}
            value={words}
            onInput={({ currentTarget }) => setWords(currentTarget.value)}
          />
        )}
      </div>
      <WhenAnswered of={rows} what="the rows" lines={8}>
        {(pages) => {
          const all = rowsOf(pages);
          return all.length === 0 ? (
            <NoRows filtered={q !== ''} side={unscored ? 'unscored' : side} threshold={threshold} />
          ) : (
            <RowsTable rows={all} threshold={threshold} onOpen={setOpen} />
          );
        }}
      </WhenAnswered>
      <MoreButton of={rows} />
      {open !== undefined && (
        <ItemDialog run={run} row={open} threshold={threshold} onClose={() => setOpen(undefined)} />
      )}
    </>
  );
}

function NoRows({
  filtered,
  side,
  threshold,
}: {
  filtered: boolean;
  side: Side | 'unscored';
  threshold: number;
}): JSX.Element | null {
  if (filtered) {
    return (
      <Empty title="No matching texts">
        <p>Only stored texts are searched. Try fewer words, or look at all rows.</p>
      </Empty>
    );
  }
  const at = thresholdText(threshold);
  return {
    flagged: (
      <Empty title={`No score reaches ${at}`}>
        <p>Move the threshold to the left to see the highest scores below it.</p>
      </Empty>
    ),
    below: (
      <Empty title={`Every score reaches ${at}`}>
        <p>Move the threshold to the right, or look at the flagged rows.</p>
      </Empty>
    ),
    all: null,
    unscored: <p class="soft">No rows have been read yet.</p>,
  }[side];
}

function justBelow(threshold: number): number {
  return Math.max(0, threshold - HAIR);
}

interface RowsTableProps {
  rows: readonly ItemRow[];
  threshold: number;
  onOpen: (row: ItemRow) => void;
}

/** Rows with scores and the beginning of their texts; a click opens a row. */
function RowsTable({ rows, threshold, onOpen }: RowsTableProps): JSX.Element {
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
                  {row.reason === null ? 'Text not stored' : <VisibleText text={row.reason} />}
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

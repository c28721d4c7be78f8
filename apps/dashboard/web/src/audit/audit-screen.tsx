import { useInfiniteQuery } from '@tanstack/preact-query';
import type { AuditEntry } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { auditAsk } from '../api/access.js';
import { rowsOf } from '../api/request.js';
import { VisibleText } from '../content/visible-text.js';
import { moment } from '../format.js';
import { Screen } from '../layout/screen.js';
import { MoreButton } from '../ui/more-button.js';
import { Table } from '../ui/table.js';
import { useSettled } from '../ui/use-settled.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';
import { detailsOf, subjectOf } from './details.js';

const TYPING_MS = 300;

/** The audit log: every change, and every read of a text. */
export function AuditScreen(): JSX.Element {
  const [action, setAction] = useState('');
  const settled = useSettled(action.trim(), TYPING_MS);
  const entries = useInfiniteQuery({
    ...auditAsk(settled === '' ? {} : { action: settled }),
    placeholderData: (before) => before,
  });
  return (
    <Screen
      title="Audit log"
      about="Records every change and every read of a text. It never contains a text."
    >
      <div class="row">
        <input
          type="search"
          aria-label="Filter by action"
          placeholder="Filter by action: text.read, or policy. for all policy actions"
          class="grow words"
          value={action}
          onInput={({ currentTarget }) => setAction(currentTarget.value)}
        />
      </div>
      <WhenAnswered of={entries} what="the audit log" lines={8}>
        {(pages) => {
          const rows = rowsOf(pages);
          if (rows.length > 0) return <AuditTable entries={rows} />;
          return settled === '' ? (
            <Empty title="The audit log is empty">
              <p>Changes and reads of texts are recorded here.</p>
            </Empty>
          ) : (
            <Empty title="No entries with this action">
              <p>Enter an action, or its first word with a dot, as in “policy.”</p>
            </Empty>
          );
        }}
      </WhenAnswered>
      <MoreButton of={entries} />
    </Screen>
  );
}

function AuditTable({ entries }: { entries: readonly AuditEntry[] }): JSX.Element {
  return (
    <Table label="Audit log" columns={['When', 'Who', 'Action', 'Subject', 'Details']}>
      {entries.map((entry) => (
        <tr key={entry.id}>
          <td class="nowrap soft">
            <time dateTime={entry.at}>{moment(entry.at)}</time>
          </td>
          <td class="wrap">
            <bdi>
              <VisibleText text={entry.who} />
            </bdi>
          </td>
          <td class="mono nowrap">{entry.action}</td>
          <td class="wrap">
            <Subject entry={entry} />
          </td>
          <td class="fill wrap soft small">
            <Details entry={entry} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Subject({ entry }: { entry: AuditEntry }): JSX.Element {
  const subject = <VisibleText text={subjectOf(entry)} />;
  return entry.run === null ? subject : <a href={`/runs/${entry.run}`}>{subject}</a>;
}

function Details({ entry }: { entry: AuditEntry }): JSX.Element {
  const { text, full } = detailsOf(entry);
  if (full === undefined) return <VisibleText text={text} />;
  return (
    <details>
      <summary>
        <VisibleText text={text} />
      </summary>
      <VisibleText text={full} />
    </details>
  );
}

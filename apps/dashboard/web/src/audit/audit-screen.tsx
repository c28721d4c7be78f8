import { useInfiniteQuery } from '@tanstack/preact-query';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { AuditEntry } from '../../../src/contract/index.js';
import { auditAsk } from '../api/keys.js';
import { rowsOf } from '../api/rows.js';
import { VisibleText } from '../content/visible-text.js';
import { moment } from '../format/time.js';
import { Screen } from '../layout/screen.js';
import { Empty } from '../ui/empty.js';
import { MoreButton } from '../ui/more-button.js';
import { Table } from '../ui/table.js';
import { useSettled } from '../ui/use-settled.js';
import { WhenAnswered } from '../ui/when-answered.js';

const TYPING_MS = 300;

/** Every change, and every read of a text. */
export function AuditScreen(): JSX.Element {
  const [action, setAction] = useState('');
  const settled = useSettled(action.trim(), TYPING_MS);
  const entries = useInfiniteQuery({
    ...auditAsk(settled === '' ? {} : { action: settled }),
    placeholderData: (before) => before,
  });
  return (
    <Screen title="Audit log" about="Every change, and every read of a text. It never holds a text.">
      <div class="row">
        <input
          type="search"
          aria-label="Action"
          placeholder="Action: text.read, or policy. for all of policies"
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
            <Empty title="Nothing has been noted yet">
              <p>Whoever changes something, or reads a text, is noted here.</p>
            </Empty>
          ) : (
            <Empty title="No such action">
              <p>An action is named in full, or by its first word and a dot, as in “policy.”</p>
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
    <Table label="Audit log" columns={['When', 'Who', 'Action', 'Of', 'Details']}>
      {entries.map(({ id, at, who, action, subject, run, details }) => (
        <tr key={id}>
          <td class="nowrap soft">
            <time dateTime={at}>{moment(at)}</time>
          </td>
          <td class="wrap">
            <bdi>
              <VisibleText text={who} />
            </bdi>
          </td>
          <td class="mono nowrap">{action}</td>
          <td class="wrap">
            {run === null ? <VisibleText text={subject} /> : <a href={`/runs/${run}`}>{subject}</a>}
          </td>
          <td class="fill wrap soft small">
            <VisibleText text={detailsText(details)} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function detailsText(details: AuditEntry['details']): string {
  return Object.entries(details)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

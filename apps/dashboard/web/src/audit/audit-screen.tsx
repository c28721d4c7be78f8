import { useInfiniteQuery } from '@tanstack/preact-query';
import type { AuditEntry } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { auditAsk } from '../api/access.js';
import { rowsOf } from '../api/request.js';
import { VisibleText } from '../content/visible-text.js';
import { count, moment, threshold } from '../format.js';
import { Screen } from '../layout/screen.js';
import { useSettled } from '../ui/hooks.js';
import { MoreButton } from '../ui/more-button.js';
import { Table } from '../ui/table.js';
import { Empty, WhenAnswered } from '../ui/when-answered.js';

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

/** Row numbers or ranges shown per line; a click shows the rest. */
const SHOWN_RANGES = 6;

/** The details of an entry. */
interface DetailsText {
  text: string;
  /** The full text, when `text` is shortened. */
  full?: string;
}

/** An entry's details in words: row ranges, threshold changes, names. */
export function detailsOf({ action, details }: Pick<AuditEntry, 'action' | 'details'>): DetailsText {
  const { seqs, ...rest } = details;
  if (isNumbers(seqs)) return rowRanges(seqs);
  if (action === 'policy.change') return { text: policyChange(rest) };
  return {
    text: Object.entries(rest)
      .map(([name, value]) => `${wordsOf(name)}: ${shown(value)}`)
      .join(', '),
  };
}

/** What was changed or read: a key by its name, because people do not know its id. */
function subjectOf({ action, subject, details }: AuditEntry): string {
  return action.startsWith('key.') && typeof details.name === 'string' ? `key ${details.name}` : subject;
}

function rowRanges(seqs: readonly number[]): DetailsText {
  const ranges = rangesOf(seqs);
  if (ranges.length <= SHOWN_RANGES) return { text: `Rows ${ranges.join(', ')}` };
  const rest = ranges.length - SHOWN_RANGES;
  return {
    text: `Rows ${ranges.slice(0, SHOWN_RANGES).join(', ')} and ${count(rest)} more`,
    full: `Rows ${ranges.join(', ')}`,
  };
}

/** Sorted numbers with neighbours as ranges: 1–3, 7. */
export function rangesOf(numbers: readonly number[]): string[] {
  const ranges: [from: number, to: number][] = [];
  for (const number of [...new Set(numbers)].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? count(from) : `${count(from)}\u2013${count(to)}`));
}

function policyChange({ from, to, name, archived }: Record<string, unknown>): string {
  const said: string[] = [];
  if (typeof from === 'number' && typeof to === 'number') {
    said.push(
      from === to ? `Threshold: ${threshold(to)}` : `Threshold: ${threshold(from)} \u2192 ${threshold(to)}`,
    );
  }
  if (typeof name === 'string') said.push(`name: ${name}`);
  if (archived === true) said.push('archived');
  return said.join(', ');
}

function wordsOf(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return count(value);
  return Array.isArray(value) ? value.map(shown).join(', ') : JSON.stringify(value);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number');
}

import { useQueryClient } from '@tanstack/preact-query';
import type { ReviewRow, Verdict } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { StoredText } from '../content/stored-text.js';
import { TracedText } from '../content/traced-text.js';
import { reveal, Veil } from '../content/veil.js';
import { VisibleText } from '../content/visible-text.js';
import { Dialog } from '../ui/dialog.js';
import { ScoreMark } from '../ui/figure.js';
import { useStored } from '../ui/hooks.js';
import { useTeller } from '../ui/toasts.js';
import { Empty, Problem, Waiting } from '../ui/when-answered.js';
import { useReviewQueue, type Wanted } from './use-review-queue.js';

/** The verdicts, with their keys. */
const VERDICTS: readonly { verdict: Verdict; label: string; key: string; look: string }[] = [
  { verdict: 'harmful', label: 'Harmful', key: 'h', look: 'warn' },
  { verdict: 'fine', label: 'Fine', key: 'f', look: '' },
  { verdict: 'skip', label: 'Skip', key: 's', look: '' },
];

/** Shows one row at a time and takes the verdict. */
export function ReviewDesk({ wanted }: { wanted: Wanted }): JSX.Element {
  const client = useQueryClient();
  const { say, complain } = useTeller();
  const { queue, state } = useReviewQueue(wanted);
  const [judged, setJudged] = useState(0);
  const [note, setNote] = useState<string>();
  const [help, setHelp] = useState(false);
  const [heat, setHeat] = useStored('heat');
  const noteField = useRef<HTMLTextAreaElement>(null);
  const row = state.phase === 'row' ? state.row : undefined;

  const judge = (verdict: Verdict): void => {
    if (row === undefined) return;
    const words = note?.trim();
    setNote(undefined);
    setJudged((count) => count + 1);
    void client.invalidateQueries({ queryKey: ['reviews', 'summary', wanted.run] });
    void queue.judge(verdict, words === '' ? undefined : words);
  };
  const undo = (): void => {
    queue.undo(wanted.run).then(({ undone, row: again }) => {
      if (undone === null) say('There is no verdict to undo.');
      else if (again === null)
        say('Undone. The text of this row is no longer stored, so it is not shown again.');
      if (undone !== null) setJudged((count) => Math.max(0, count - 1));
      setNote(undone?.note ?? undefined);
    }, complain);
  };
  const writeNote = (): void => setNote((written) => written ?? '');
  // Before the next key press, which belongs to the note.
  useLayoutEffect(() => {
    if (note === '') noteField.current?.focus();
  }, [note]);

  useKeys({
    h: () => judge('harmful'),
    f: () => judge('fine'),
    s: () => judge('skip'),
    u: undo,
    n: writeNote,
    t: () => setHeat(heat === 'off' ? null : 'off'),
    b: () => row !== undefined && reveal(row.seq),
    '?': () => setHelp(true),
  });

  return (
    <div class="desk">
      <Announcement row={row} />
      {state.phase === 'loading' && <Waiting what="the next row" lines={6} />}
      {state.phase === 'failed' && (
        <Problem error={state.error} title="Cannot load the next row" onRetry={() => void queue.start()} />
      )}
      {state.phase === 'done' && (
        <Empty title={judged === 0 ? 'No rows to review' : 'That was the last row'}>
          <p>
            {wanted.second === true
              ? 'Every row with one verdict already has a second one or is open for another reviewer.'
              : 'Every row already has a verdict or is open for another reviewer.'}
          </p>
          <p class="row">
            <a class="button primary" href={`/review/${wanted.run}?tab=summary`}>
              See the summary
            </a>
            <button type="button" class="button" onClick={() => void queue.start()}>
              Look again
            </button>
          </p>
        </Empty>
      )}
      {row !== undefined && (
        <ReviewCard key={row.seq} row={row} threshold={wanted.threshold} heat={heat !== 'off'} />
      )}
      {note !== undefined && row !== undefined && (
        <textarea
          ref={noteField}
          rows={2}
          maxLength={2000}
          aria-label="Note on this row"
          placeholder="Reason, stored with the verdict. Press Escape to return to the row."
          value={note}
          onInput={({ currentTarget }) => setNote(currentTarget.value)}
          onKeyDown={({ key, currentTarget }) => key === 'Escape' && currentTarget.blur()}
        />
      )}
      <div class="desk-keys">
        {VERDICTS.map(({ verdict, label, key, look }) => (
          <button
            key={verdict}
            type="button"
            class={`button ${look}`}
            disabled={row === undefined}
            onClick={() => judge(verdict)}
            aria-keyshortcuts={key}
          >
            {label} <kbd>{key}</kbd>
          </button>
        ))}
        <button type="button" class="button plain" onClick={undo} aria-keyshortcuts="u">
          Undo <kbd>u</kbd>
        </button>
        <button
          type="button"
          class="button plain"
          onClick={writeNote}
          disabled={row === undefined}
          aria-keyshortcuts="n"
        >
          Note <kbd>n</kbd>
        </button>
        <button type="button" class="button plain" onClick={() => setHelp(true)} aria-keyshortcuts="?">
          Keys <kbd>?</kbd>
        </button>
        <span class="small faint desk-count">{judged === 0 ? '' : `${judged} judged`}</span>
      </div>
      {help && <KeysDialog onClose={() => setHelp(false)} />}
    </div>
  );
}

/** Announces the next row to screen readers. */
function Announcement({ row }: { row: ReviewRow | undefined }): JSX.Element {
  return (
    <p class="visually-hidden" role="status">
      {row === undefined ? '' : `Row ${row.key}`}
    </p>
  );
}

interface ReviewCardProps {
  row: ReviewRow;
  threshold: number;
  /** Whether to show the heat map of its trace. */
  heat: boolean;
}

/** The row under review. */
function ReviewCard({ row, threshold, heat }: ReviewCardProps): JSX.Element {
  return (
    <article class="panel review-card" aria-label={`Row ${row.key}`}>
      <div class="row spread small soft">
        <span class="mono wrap">
          <bdi>
            <VisibleText text={row.key} />
          </bdi>
        </span>
        <ScoreMark score={row.score} threshold={threshold} />
      </div>
      <Veil of={row.seq}>
        {heat ? (
          <TracedText run={row.run} seq={row.seq} threshold={threshold} content={row.content} />
        ) : (
          <StoredText content={row.content} />
        )}
      </Veil>
    </article>
  );
}

const KEYS: readonly [key: string, does: string][] = [
  ...VERDICTS.map(({ key, label }): [string, string] => [key, label]),
  ['u', 'Undo the last verdict'],
  ['n', 'Write a note on the row'],
  ['t', 'Toggle the heat map'],
  ['b', 'Reveal a blurred text'],
  ['?', 'This list'],
];

/** Keyboard shortcuts. */
function KeysDialog({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="key-list">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="small soft">
        The current row is reserved for you for ten minutes. Leaving the page releases it.
      </p>
      <div class="actions">
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

/** Handles keyboard shortcuts, except in text fields and while a dialog is open. */
function useKeys(actions: Readonly<Record<string, () => void>>): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const target = event.target as Element;
      const writes = target.closest('input:not([type=checkbox], [type=radio]), textarea, select') !== null;
      if (writes || document.querySelector('dialog[open]') !== null) return;
      const action = latest.current[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}

import { useQuery } from '@tanstack/preact-query';
import type { ItemRow, Run } from '@tocsin/contract';
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import { guardsAsk } from '../api/access.js';
import { itemAsk } from '../api/runs.js';
import { StoredText } from '../content/stored-text.js';
import { TracedText } from '../content/traced-text.js';
import { Veil } from '../content/veil.js';
import { VisibleText } from '../content/visible-text.js';
import { counted } from '../format.js';
import { Dialog } from '../ui/dialog.js';
import { ScoreMark } from '../ui/figure.js';
import { WhenAnswered } from '../ui/when-answered.js';

interface ItemDialogProps {
  run: Run;
  row: ItemRow;
  threshold: number;
  onClose: () => void;
}

/** One row in full. */
export function ItemDialog({ run, row, threshold, onClose }: ItemDialogProps): JSX.Element {
  const item = useQuery(itemAsk(run.id, row.seq));
  const [traced, setTraced] = useState(false);
  const guards = useQuery(guardsAsk());
  // Unknown until the guards have loaded; offer the button until then.
  const served =
    guards.data?.data.some(({ fingerprint, served }) => served && fingerprint === run.fingerprint) ?? true;
  const reason = useId();
  return (
    <Dialog title={`Row ${row.seq}`} wide onClose={onClose}>
      <div class="row small soft">
        <ScoreMark score={row.score} threshold={threshold} />
        <span class="mono wrap">
          <bdi>
            <VisibleText text={row.key} />
          </bdi>
        </span>
        {item.data?.tokens != null && <span>{counted(item.data.tokens, 'token')}</span>}
        {row.truncated && <span class="badge">truncated</span>}
      </div>
      <WhenAnswered of={item} what="the row">
        {({ content }) =>
          content === null ? (
            <p class="soft">
              Its text was not stored. Submit with <code>--retain all</code> (or flagged) to be able to read
              rows.
            </p>
          ) : (
            <Veil of={row.seq}>
              {traced ? (
                <TracedText run={run.id} seq={row.seq} threshold={threshold} content={content} />
              ) : (
                <StoredText content={content} />
              )}
            </Veil>
          )
        }
      </WhenAnswered>
      {!served && (
        <p class="small soft" id={reason}>
          No trace: this server was not started with the guard of this run ({run.guard}).
        </p>
      )}
      <div class="actions">
        {item.data?.content != null && (
          <button
            type="button"
            class="button"
            aria-pressed={traced}
            disabled={!served}
            aria-describedby={served ? undefined : reason}
            onClick={() => setTraced(!traced)}
          >
            {traced ? 'Hide the trace' : 'Show the trace'}
          </button>
        )}
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

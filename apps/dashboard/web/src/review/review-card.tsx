import type { ReviewRow } from '@tocsin/contract';
import type { JSX } from 'preact';
import { StoredText } from '../content/stored-text.js';
import { TracedText } from '../content/traced-text.js';
import { Veil } from '../content/veil.js';
import { VisibleText } from '../content/visible-text.js';
import { ScoreMark } from '../run/score-mark.js';

interface ReviewCardProps {
  row: ReviewRow;
  threshold: number;
  /** With the heat map of its trace. */
  heat: boolean;
}

/** The row that is to be judged. */
export function ReviewCard({ row, threshold, heat }: ReviewCardProps): JSX.Element {
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

import { useQueryClient } from '@tanstack/preact-query';
import type { NextRequest } from '@tocsin/contract';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { giveVerdict, nextReview, releaseReview, undoVerdict } from '../api/reviews.js';
import { traceAsk } from '../api/runs.js';
import { useTeller } from '../ui/toasts.js';
import { ReviewQueue, type ReviewState } from './review-queue.js';

/** A lease lasts ten minutes. */
const RENEW_MS = 2 * 60_000;

/** Which rows to review, and the threshold for traces. */
export type Wanted = NextRequest & { threshold: number };

/** A queue of rows to review, released when the screen closes. */
export function useReviewQueue(wanted: Wanted): { queue: ReviewQueue; state: ReviewState } {
  const client = useQueryClient();
  const { complain } = useTeller();
  const [state, setState] = useState<ReviewState>({ phase: 'loading' });
  const { run, order, threshold, second } = wanted;
  /** Rows that the previous queue is still releasing. */
  const left = useRef(Promise.resolve());
  const queue = useMemo(() => {
    return new ReviewQueue(
      {
        next: (besides) => nextReview({ run, order, threshold, second, besides }),
        judge: giveVerdict,
        undo: undoVerdict,
        release: releaseReview,
      },
      {
        onState: setState,
        onAhead: (row) => void client.prefetchQuery(traceAsk(row.run, row.seq, threshold)),
        onLost: complain,
      },
    );
  }, [client, complain, run, order, threshold, second]);
  useEffect(() => {
    void left.current.then(() => queue.start());
    const leave = (): void => {
      left.current = queue.close();
    };
    addEventListener('pagehide', leave);
    // A failed renewal is retried in a minute, and a verdict counts as long as no one else has leased the row.
    const renewal = setInterval(() => void queue.renew().catch(() => undefined), RENEW_MS);
    return () => {
      clearInterval(renewal);
      removeEventListener('pagehide', leave);
      leave();
    };
  }, [queue]);
  return { queue, state };
}

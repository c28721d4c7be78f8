import { useQueryClient } from '@tanstack/preact-query';
import type { NextRequest } from '@tocsin/contract';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { giveVerdict, nextReview, releaseReview, undoVerdict } from '../api/reviews.js';
import { traceAsk } from '../api/runs.js';
import { useTeller } from '../ui/toasts.js';
import { ReviewQueue, type ReviewState } from './review-queue.js';

/** A lease is for ten minutes. */
const RENEW_MS = 2 * 60_000;

/** What is asked for, and the threshold that traces are read with. */
export type Wanted = NextRequest & { threshold: number };

/** A queue of rows to judge for as long as the screen is there. */
export function useReviewQueue(wanted: Wanted): { queue: ReviewQueue; state: ReviewState } {
  const client = useQueryClient();
  const { complain } = useTeller();
  const [state, setState] = useState<ReviewState>({ phase: 'loading' });
  const { run, order, threshold, second } = wanted;
  /** What the queue before this one has still to give back. */
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
    // What cannot be renewed now can be in a minute, and a verdict counts all the same while nobody else has the row.
    const renewal = setInterval(() => void queue.renew().catch(() => undefined), RENEW_MS);
    return () => {
      clearInterval(renewal);
      removeEventListener('pagehide', leave);
      leave();
    };
  }, [queue]);
  return { queue, state };
}

import { queryOptions } from '@tanstack/preact-query';
import type {
  GivenVerdict,
  NewVerdict,
  NextRequest,
  NextReview,
  ReviewSummary,
  UndoneVerdict,
} from '@tocsin/contract';
import { address, request } from './request.js';

/** Leases a row that no other reviewer holds. */
export const nextReview = (wanted: NextRequest): Promise<NextReview> =>
  request('/reviews/next', { method: 'POST', body: wanted });

export const giveVerdict = (verdict: NewVerdict): Promise<GivenVerdict> =>
  request('/reviews/verdicts', { method: 'POST', body: verdict });

export const undoVerdict = (run: number): Promise<UndoneVerdict> =>
  request('/reviews/undo', { method: 'POST', body: { run } });

/** Releases a leased row. `keepalive`: also while the page is closing. */
export const releaseReview = async (run: number, seq: number): Promise<void> => {
  await fetch(address('/reviews/release'), {
    method: 'POST',
    keepalive: true,
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ run, seq }),
    // If this fails, the lease expires.
  }).catch(() => undefined);
};

export const reviewSummaryAsk = (run: number) =>
  queryOptions({
    queryKey: ['reviews', 'summary', run],
    queryFn: ({ signal }) => request<ReviewSummary>('/reviews/summary', { query: { run }, signal }),
  });

export const labelsAddress = (run: number): string => address('/reviews/export', { run });

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

/** Leases a row that nobody else has. */
export const nextReview = (wanted: NextRequest): Promise<NextReview> =>
  request('/reviews/next', { method: 'POST', body: wanted });

export const giveVerdict = (verdict: NewVerdict): Promise<GivenVerdict> =>
  request('/reviews/verdicts', { method: 'POST', body: verdict });

export const undoVerdict = (run: number): Promise<UndoneVerdict> =>
  request('/reviews/undo', { method: 'POST', body: { run } });

/** Gives a leased row back. `keepalive`: also when the page is being left. */
export const releaseReview = async (run: number, seq: number): Promise<void> => {
  await fetch(address('/reviews/release'), {
    method: 'POST',
    keepalive: true,
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ run, seq }),
    // Not given back, its lease runs out by itself.
  }).catch(() => undefined);
};

export const reviewSummaryAsk = (run: number) =>
  queryOptions({
    queryKey: ['reviews', 'summary', run],
    queryFn: ({ signal }) => request<ReviewSummary>('/reviews/summary', { query: { run }, signal }),
  });

export const labelsAddress = (run: number): string => address('/reviews/export', { run });

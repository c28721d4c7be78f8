import { infiniteQueryOptions, queryOptions } from '@tanstack/preact-query';
import type {
  CancelledRun,
  Comparison,
  Counts,
  ExportQuery,
  Histogram,
  ItemDetail,
  ItemList,
  ItemsQuery,
  MadeRun,
  Page,
  Reject,
  RetriedRun,
  Run,
  RunListQuery,
  RunSummary,
  Trace,
} from '@tocsin/contract';
import { address, request, upload } from './request.js';

const PAGE = 50;
/** Bins narrow enough to drag a threshold across; the size of a histogram does not depend on the rows. */
const BINS = 100;
/** How long data of a run in progress stays fresh. */
const CHANGES_MS = 3000;

const changing = (final: boolean | undefined): number | false => (final === false ? CHANGES_MS : false);

export const runsAsk = (filter: Pick<RunListQuery, 'state' | 'name'>) =>
  infiniteQueryOptions({
    queryKey: ['runs', filter],
    queryFn: ({ pageParam, signal }) =>
      request<Page<RunSummary>>('/runs', { query: { ...filter, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
  });

export const runAsk = (id: number) =>
  queryOptions({
    queryKey: ['run', id],
    queryFn: ({ signal }) => request<Run>(`/runs/${id}`, { signal }),
  });

export const histogramAsk = (id: number) =>
  queryOptions({
    queryKey: ['run', id, 'histogram'],
    queryFn: ({ signal }) => request<Histogram>(`/runs/${id}/histogram`, { query: { bins: BINS }, signal }),
    refetchInterval: ({ state }) => changing(state.data?.final),
  });

/** The exact number of rows that a threshold flags. */
export const countsAsk = (id: number, threshold: number) =>
  queryOptions({
    queryKey: ['run', id, 'counts', threshold],
    queryFn: ({ signal }) => request<Counts>(`/runs/${id}/counts`, { query: { threshold }, signal }),
    refetchInterval: ({ state }) => changing(state.data?.final),
  });

export const itemsAsk = (id: number, query: Omit<ItemsQuery, 'cursor' | 'limit'>) =>
  infiniteQueryOptions({
    queryKey: ['run', id, 'items', query],
    queryFn: ({ pageParam, signal }) =>
      request<ItemList>(`/runs/${id}/items`, { query: { ...query, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
  });

/** One row in full. Each read is recorded in the audit log, so it is fetched only once. */
export const itemAsk = (id: number, seq: number) =>
  queryOptions({
    queryKey: ['run', id, 'item', seq],
    queryFn: ({ signal }) => request<ItemDetail>(`/runs/${id}/items/${seq}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const traceAsk = (id: number, seq: number, threshold: number) =>
  queryOptions({
    queryKey: ['run', id, 'trace', seq, threshold],
    queryFn: ({ signal }) =>
      request<Trace>(`/runs/${id}/items/${seq}/trace`, { query: { threshold }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const rejectsAsk = (id: number) =>
  infiniteQueryOptions({
    queryKey: ['run', id, 'rejects'],
    queryFn: ({ pageParam, signal }) =>
      request<Page<Reject>>(`/runs/${id}/rejects`, { query: { limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
  });

export const comparisonAsk = (id: number, other: number, threshold: number) =>
  queryOptions({
    queryKey: ['run', id, 'compare', other, threshold],
    queryFn: ({ signal }) =>
      request<Comparison>(`/runs/${id}/compare/${other}`, { query: { threshold }, signal }),
  });

export const exportAddress = (id: number, query: ExportQuery): string => address(`/runs/${id}/export`, query);

export const submitFile = (form: FormData, onProgress: (part: number) => void): Promise<MadeRun> =>
  upload<MadeRun>('/runs/upload', form, onProgress);

export const cancelRun = (id: number): Promise<CancelledRun> =>
  request(`/runs/${id}/cancel`, { method: 'POST', body: {} });

export const retryRun = (id: number): Promise<RetriedRun> =>
  request(`/runs/${id}/retry`, { method: 'POST', body: {} });

export const deleteRun = (id: number): Promise<void> => request(`/runs/${id}`, { method: 'DELETE' });

import { infiniteQueryOptions } from '@tanstack/preact-query';
import type { ApiKey, AuditEntry, AuditQuery, MadeKey, NewKey, Page } from '@tocsin/contract';
import { request } from './request.js';

const PAGE = 100;

export const keysAsk = () =>
  infiniteQueryOptions({
    queryKey: ['keys'],
    queryFn: ({ pageParam, signal }) =>
      request<Page<ApiKey>>('/keys', { query: { limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
  });

export const createKey = (key: NewKey): Promise<MadeKey> => request('/keys', { method: 'POST', body: key });

export const revokeKey = (id: string): Promise<void> => request(`/keys/${id}`, { method: 'DELETE' });

export const auditAsk = (filter: Pick<AuditQuery, 'action' | 'run'>) =>
  infiniteQueryOptions({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam, signal }) =>
      request<Page<AuditEntry>>('/audit', { query: { ...filter, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
  });

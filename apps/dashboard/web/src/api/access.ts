import { infiniteQueryOptions, queryOptions } from '@tanstack/preact-query';
import type { ApiKey, AuditEntry, AuditQuery, GuardList, MadeKey, Me, NewKey, Page } from '@tocsin/contract';
import { request } from './request.js';

/** The signed-in user. Fails with 401 when signed out. */
export const meAsk = () =>
  queryOptions({
    queryKey: ['me'],
    queryFn: ({ signal }) => request<Me>('/me', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const signIn = (key: string): Promise<void> => request('/session', { method: 'POST', body: { key } });

export const signOut = (): Promise<void> => request('/session', { method: 'DELETE' });

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

export const guardsAsk = () =>
  queryOptions({ queryKey: ['guards'], queryFn: ({ signal }) => request<GuardList>('/guards', { signal }) });

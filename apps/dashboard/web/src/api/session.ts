import { queryOptions } from '@tanstack/preact-query';
import type { Me } from '@tocsin/contract';
import { request } from './request.js';

/** Who asks. Fails with 401 when nobody is signed in. */
export const meAsk = () =>
  queryOptions({
    queryKey: ['me'],
    queryFn: ({ signal }) => request<Me>('/me', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const signIn = (key: string): Promise<void> => request('/session', { method: 'POST', body: { key } });

export const signOut = (): Promise<void> => request('/session', { method: 'DELETE' });

import { queryOptions } from '@tanstack/preact-query';
import type { GuardList } from '@tocsin/contract';
import { request } from './request.js';

export const guardsAsk = () =>
  queryOptions({ queryKey: ['guards'], queryFn: ({ signal }) => request<GuardList>('/guards', { signal }) });

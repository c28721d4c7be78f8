import { queryOptions } from '@tanstack/preact-query';
import type { GuardList } from '../../../src/contract/index.js';
import { request } from './request.js';

export const guardsAsk = () =>
  queryOptions({ queryKey: ['guards'], queryFn: ({ signal }) => request<GuardList>('/guards', { signal }) });

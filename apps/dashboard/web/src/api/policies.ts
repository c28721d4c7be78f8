import { queryOptions } from '@tanstack/preact-query';
import type {
  NewPolicy,
  Page,
  Policy,
  PolicyChange,
  PolicyList,
  PolicyPatch,
  PolicyPreview,
} from '@tocsin/contract';
import { request } from './request.js';

const EXAMPLES = 5;
const SETTLED_MS = 30_000;

export const policiesAsk = (archived = false) =>
  queryOptions({
    queryKey: ['policies', archived],
    queryFn: ({ signal }) =>
      request<PolicyList>('/policies', { query: archived ? { archived: true } : {}, signal }),
    staleTime: SETTLED_MS,
  });

export const policyChangesAsk = (name: string) =>
  queryOptions({
    queryKey: ['policies', 'changes', name],
    queryFn: ({ signal }) =>
      request<Page<PolicyChange>>(`/policies/${name}/changes`, { query: { limit: 100 }, signal }),
  });

/** The effect of another threshold on a run. */
export const policyPreviewAsk = (name: string, run: number, threshold: number) =>
  queryOptions({
    queryKey: ['run', run, 'preview', name, threshold],
    queryFn: ({ signal }) =>
      request<PolicyPreview>(`/policies/${name}/preview`, {
        query: { run, threshold, examples: EXAMPLES },
        signal,
      }),
  });

export const createPolicy = (policy: NewPolicy): Promise<Policy> =>
  request('/policies', { method: 'POST', body: policy });

export const changePolicy = (name: string, patch: PolicyPatch): Promise<Policy> =>
  request(`/policies/${name}`, { method: 'PATCH', body: patch });

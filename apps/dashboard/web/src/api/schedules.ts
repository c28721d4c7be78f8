import { queryOptions } from '@tanstack/preact-query';
import type {
  DeliveryList,
  FiredNow,
  FiringList,
  NewSchedule,
  Schedule,
  ScheduleList,
  TestedWebhook,
} from '@tocsin/contract';
import { request } from './request.js';

const SHOWN = 10;

export const schedulesAsk = () =>
  queryOptions({
    queryKey: ['schedules'],
    queryFn: ({ signal }) => request<ScheduleList>('/schedules', { signal }),
  });

export const firingsAsk = (name: string) =>
  queryOptions({
    queryKey: ['schedules', name, 'firings'],
    queryFn: ({ signal }) =>
      request<FiringList>(`/schedules/${name}/firings`, { query: { limit: SHOWN }, signal }),
  });

export const deliveriesAsk = (name: string) =>
  queryOptions({
    queryKey: ['schedules', name, 'deliveries'],
    queryFn: ({ signal }) =>
      request<DeliveryList>(`/schedules/${name}/deliveries`, { query: { limit: SHOWN }, signal }),
  });

export const createSchedule = (schedule: NewSchedule): Promise<Schedule> =>
  request('/schedules', { method: 'POST', body: schedule });

export const enableSchedule = (name: string, enabled: boolean): Promise<Schedule> =>
  request(`/schedules/${name}`, { method: 'PATCH', body: { enabled } });

export const deleteSchedule = (name: string): Promise<void> =>
  request(`/schedules/${name}`, { method: 'DELETE' });

export const runScheduleNow = (name: string): Promise<FiredNow> =>
  request(`/schedules/${name}/run-now`, { method: 'POST', body: {} });

export const testWebhook = (name: string): Promise<TestedWebhook> =>
  request(`/schedules/${name}/test-webhook`, { method: 'POST', body: {} });

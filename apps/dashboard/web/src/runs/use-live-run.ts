import { useQueryClient } from '@tanstack/preact-query';
import { isOpen, type RunEvent, type RunSummary } from '@tocsin/contract';
import { useState } from 'preact/hooks';
import { useEvents } from '../api/events.js';

const EVENTS = ['progress', 'over'] as const;

/**
 * A run as it goes on, by the server's events.
 * @param listen whether to: a browser keeps few connections to one server
 */
export function useLiveRun<R extends RunSummary>(run: R, listen = true): R {
  const client = useQueryClient();
  const [event, setEvent] = useState<RunEvent>();
  const going = listen && isOpen(run.state) && !(event?.id === run.id && !isOpen(event.state));
  useEvents<RunEvent>(going ? `/runs/${run.id}/events` : undefined, EVENTS, (next, name) => {
    setEvent(next);
    if (name === 'over') {
      void client.invalidateQueries({ queryKey: ['run', run.id] });
      void client.invalidateQueries({ queryKey: ['runs'] });
    }
  });
  if (event?.id !== run.id || !isOpen(run.state)) return run;
  return { ...run, state: event.state, counters: event.counters, progress: event.progress };
}

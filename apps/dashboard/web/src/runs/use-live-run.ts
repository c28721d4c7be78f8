import { useQueryClient } from '@tanstack/preact-query';
import { isOpen, type RunEvent, type RunSummary } from '@tocsin/contract';
import { useEffect, useRef, useState } from 'preact/hooks';
import { address } from '../api/request.js';

const EVENTS = ['progress', 'over'] as const;

/**
 * A run with live updates by server-sent events.
 * @param listen false to save a connection: browsers open few to one server
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

/**
 * Listens to server-sent events while the component is mounted.
 * @param path undefined to not listen
 * @param events names of the events
 */
function useEvents<T>(
  path: string | undefined,
  events: readonly string[],
  onEvent: (data: T, event: string) => void,
): void {
  const latest = useRef(onEvent);
  latest.current = onEvent;
  const names = events.join(' ');
  useEffect(() => {
    if (path === undefined) return;
    // EventSource reconnects on its own.
    const source = new EventSource(address(path));
    for (const name of names.split(' ')) {
      source.addEventListener(name, (event) => latest.current(JSON.parse(event.data as string) as T, name));
    }
    return () => source.close();
  }, [path, names]);
}

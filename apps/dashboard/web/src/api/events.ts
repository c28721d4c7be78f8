import { useEffect, useRef } from 'preact/hooks';
import { address } from './request.js';

/**
 * Listens to server-sent events for as long as the component is there.
 * @param path undefined: nothing to listen to
 * @param events what to listen for
 */
export function useEvents<T>(
  path: string | undefined,
  events: readonly string[],
  onEvent: (data: T, event: string) => void,
): void {
  const latest = useRef(onEvent);
  latest.current = onEvent;
  const names = events.join(' ');
  useEffect(() => {
    if (path === undefined) return;
    // It connects again by itself.
    const source = new EventSource(address(path));
    for (const name of names.split(' ')) {
      source.addEventListener(name, (event) => latest.current(JSON.parse(event.data as string) as T, name));
    }
    return () => source.close();
  }, [path, names]);
}

import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** A debounced value. */
export function useSettled<T>(value: T, milliseconds: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    if (Object.is(settled, value)) return;
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, settled, milliseconds]);
  return settled;
}

const CHANGED = 'tocsin-stored';

/** A setting stored in this browser and shared by the whole page. */
export function useStored(name: string): [string | null, (value: string | null) => void] {
  const key = `tocsin.${name}`;
  const [value, setValue] = useState(() => localStorage.getItem(key));
  useEffect(() => {
    const look = (): void => setValue(localStorage.getItem(key));
    addEventListener(CHANGED, look);
    // Changed in another tab.
    addEventListener('storage', look);
    return () => {
      removeEventListener(CHANGED, look);
      removeEventListener('storage', look);
    };
  }, [key]);
  const store = (next: string | null): void => {
    if (next === null) localStorage.removeItem(key);
    else localStorage.setItem(key, next);
    dispatchEvent(new Event(CHANGED));
  };
  return [value, store];
}

/** The current width of an element, in CSS pixels. */
export function useWidth<E extends Element>(): [RefObject<E>, number] {
  const element = useRef<E>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    if (element.current === null) return;
    setWidth(element.current.getBoundingClientRect().width);
    const watcher = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    watcher.observe(element.current);
    return () => watcher.disconnect();
  }, []);
  return [element, width];
}

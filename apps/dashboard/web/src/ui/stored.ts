import { useEffect, useState } from 'preact/hooks';

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

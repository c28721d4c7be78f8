import { useStored } from '../ui/stored.js';

/** Light, dark, or as the system has it. public/theme.js applies it, before the first paint and when it changes. */
export function useTheme(): [string, (theme: string) => void] {
  const [value, store] = useStored('theme');
  const choose = (theme: string): void => {
    store(theme === 'system' ? null : theme);
    dispatchEvent(new Event('tocsin-theme'));
  };
  return [value ?? 'system', choose];
}

import { useStored } from '../ui/stored.js';

/** Whether texts are blurred until they are asked for. */
export function useBlur(): [boolean, (on: boolean) => void] {
  const [value, store] = useStored('blur');
  return [value === 'on', (on) => store(on ? 'on' : null)];
}

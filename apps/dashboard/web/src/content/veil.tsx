import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useStored } from '../ui/stored.js';

/** Whether texts are blurred until they are asked for. */
export function useBlur(): [boolean, (on: boolean) => void] {
  const [value, store] = useStored('blur');
  return [value === 'on', (on) => store(on ? 'on' : null)];
}

interface VeilProps {
  /** Whose text it is: another one is blurred again. */
  of: string | number;
  children: ComponentChildren;
}

/** Blurs what it holds until it is asked for, when the reader wants that. */
export function Veil({ of, children }: VeilProps): JSX.Element {
  const [blur] = useBlur();
  const [asked, setAsked] = useState<string | number>();
  const veiled = blur && asked !== of;
  useEffect(() => {
    const ask = (event: Event): void => {
      if ((event as CustomEvent<unknown>).detail === of) setAsked(of);
    };
    addEventListener(REVEAL, ask);
    return () => removeEventListener(REVEAL, ask);
  }, [of]);
  if (!veiled) return <>{children}</>;
  return (
    <div class="veil">
      <div class="veiled" aria-hidden="true" inert>
        {children}
      </div>
      <button type="button" class="button small" onClick={() => setAsked(of)}>
        Show text
      </button>
    </div>
  );
}

const REVEAL = 'tocsin-reveal';

/** Takes the veil of a text away, as its button does. */
export function reveal(of: string | number): void {
  dispatchEvent(new CustomEvent(REVEAL, { detail: of }));
}

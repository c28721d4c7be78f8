import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useStored } from '../ui/hooks.js';

/** The setting that blurs texts until they are revealed. */
export function useBlur(): [boolean, (on: boolean) => void] {
  const [value, store] = useStored('blur');
  return [value === 'on', (on) => store(on ? 'on' : null)];
}

interface VeilProps {
  /** Identifies the text: another one is blurred again. */
  of: string | number;
  children: ComponentChildren;
}

/** Blurs its children until they are revealed, if the setting is on. */
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

/** Reveals a blurred text, as its button does. */
export function reveal(of: string | number): void {
  dispatchEvent(new CustomEvent(REVEAL, { detail: of }));
}

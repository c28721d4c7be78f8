import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const SAYS_SO_MS = 2000;

/** Copies a text to the clipboard, and says so. */
export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }): JSX.Element {
  const [state, setState] = useState<'idle' | 'copied' | 'refused'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), SAYS_SO_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = (): void => {
    // There is no clipboard where the page did not come over HTTPS or from this machine.
    const written = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    written.then(
      () => setState('copied'),
      () => setState('refused'),
    );
  };
  const says = { idle: label, copied: 'Copied', refused: 'Select and copy it by hand' }[state];
  return (
    <button type="button" class="button" onClick={copy} aria-live="polite">
      {says}
    </button>
  );
}

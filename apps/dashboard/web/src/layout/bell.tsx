import type { JSX } from 'preact';

/** The page's mark: a tocsin is an alarm bell. */
export function Bell(): JSX.Element {
  return (
    <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
      <path
        fill="currentColor"
        d="M8 1a1 1 0 0 0-1 1v.6A4.5 4.5 0 0 0 3.5 7v2.6L2.2 12a.7.7 0 0 0 .6 1h10.4a.7.7 0 0 0 .6-1l-1.3-2.4V7A4.5 4.5 0 0 0 9 2.6V2a1 1 0 0 0-1-1Zm-1.7 13a1.8 1.8 0 0 0 3.4 0Z"
      />
    </svg>
  );
}

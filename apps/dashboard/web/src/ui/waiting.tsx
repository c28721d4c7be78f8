import type { JSX } from 'preact';

/** Keeps the place of what is on its way. */
export function Waiting({ what, lines = 4 }: { what: string; lines?: number }): JSX.Element {
  return (
    <div class="waiting" role="status">
      <span class="visually-hidden">Loading {what}</span>
      {Array.from({ length: lines }, (_, line) => (
        <i key={line} />
      ))}
    </div>
  );
}

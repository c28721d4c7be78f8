import type { ComponentChildren, JSX } from 'preact';

/** Where there is nothing yet: what would be here, and how to bring it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

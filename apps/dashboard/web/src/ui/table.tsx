import type { ComponentChildren, JSX } from 'preact';

interface TableProps {
  /** What the table holds, for those who do not see it. */
  label: string;
  children: ComponentChildren;
}

/** A table that scrolls in its own box when it is wider than the page. */
export function Table({ label, children }: TableProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="table-frame" aria-label={label} tabIndex={0}>
      <table>{children}</table>
    </section>
  );
}

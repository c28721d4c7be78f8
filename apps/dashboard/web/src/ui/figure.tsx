import type { JSX } from 'preact';

/** A number and what it counts. */
export function Figure({ value, name }: { value: string; name: string }): JSX.Element {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

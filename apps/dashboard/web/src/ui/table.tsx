import type { ComponentChildren, JSX } from 'preact';

interface NamedColumn {
  name: string;
  /** `number`, `fill` */
  class?: string;
  /** Show the name to screen readers only. */
  hidden?: boolean;
}
/** A column, or just its name. */
type Column = string | NamedColumn;

interface TableProps {
  /** Accessible name of the table. */
  label: string;
  columns: readonly Column[];
  /** Table rows. */
  children: ComponentChildren;
}

/** A table that scrolls in its own box when it is wider than the page. */
export function Table({ label, columns, children }: TableProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section class="table-frame" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={typeof column === 'string' ? column : column.name} column={column} />
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

function Head({ column }: { column: Column }): JSX.Element {
  const named: NamedColumn = typeof column === 'string' ? { name: column } : column;
  const { name, class: kind, hidden = false } = named;
  return (
    <th scope="col" class={kind}>
      {hidden ? <span class="visually-hidden">{name}</span> : name}
    </th>
  );
}

import type { ComponentChildren, JSX } from 'preact';

interface NamedColumn {
  name: string;
  /** `number`, `fill` */
  class?: string;
  /** The name is only read out. */
  hidden?: boolean;
}
/** A column, or its name alone. */
type Column = string | NamedColumn;

interface TableProps {
  /** What the table holds, for those who do not see it. */
  label: string;
  columns: readonly Column[];
  /** Its lines. */
  children: ComponentChildren;
}

/** A table that scrolls in its own box when it is wider than the page. */
export function Table({ label, columns, children }: TableProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
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

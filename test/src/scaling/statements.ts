import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const DOCUMENT = fileURLToPath(new URL('../../../docs/scaling.md', import.meta.url));

/** The headings of docs/scaling.md that describe partitioning. */
export const PARTITIONS = ['Scores: by content', 'Rows and texts: by run'] as const;

/** The SQL below a heading of docs/scaling.md. */
export async function statementsOf(heading: string): Promise<string> {
  const sections = (await readFile(DOCUMENT, 'utf8')).split(/^### /m);
  const section = sections.find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const [, sql] = /^```sql\n(.*?)^```/ms.exec(section) ?? [];
  if (sql === undefined) throw new Error(`docs/scaling.md has no SQL under "${heading}"`);
  return sql;
}

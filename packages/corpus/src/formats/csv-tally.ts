import { count } from '../rows/wording.js';
import { sourceName } from '../sources/source-name.js';

const NOTICES = {
  repeated: (n: number, where: string) =>
    n === 1
      ? `skipped 1 line that repeats the header (${where}).`
      : `skipped ${count(n)} lines that repeat the header (${where}).`,
  spans: (n: number, where: string) =>
    `${n === 1 ? '1 record takes' : `${count(n)} records take`} up several lines that look like separate records (${where}). If quotes are plain characters in this file, use --quote none.`,
  unclosed: (n: number, where: string) =>
    `${n === 1 ? '1 line opens' : `${count(n)} lines open`} a quote that is never closed (${where}): double quotes there are read as plain characters. Use --quote none to do so everywhere, or --quote double.`,
  nulls: (n: number, where: string) =>
    `${n === 1 ? '1 record holds' : `${count(n)} records hold`} \\N (${where}): read as null, as written by COPY and MySQL. If backslashes in texts are escapes too, export the file as CSV: psql -c "\\copy (select ...) to 'FILE.csv' csv header"`,
  trailing: (n: number, where: string) =>
    `${n === 1 ? '1 record ends' : `${count(n)} records end`} with more delimiters than the header (${where}): the empty fields are ignored.`,
} as const;

/** Counts what was skipped or is doubtful in a table, with the first place. */
export class CsvTally {
  readonly #found = new Map<keyof typeof NOTICES, { count: number; line: number }>();

  note(what: keyof typeof NOTICES, line: number): void {
    const found = this.#found.get(what);
    if (found === undefined) this.#found.set(what, { count: 1, line });
    else found.count += 1;
  }

  /** Notices for the user. */
  notices(source: string): string[] {
    return [...this.#found].map(([what, { count: n, line }]) => {
      const where = n === 1 ? `line ${count(line)}` : `the first at line ${count(line)}`;
      return `${sourceName(source)}: ${NOTICES[what](n, where)}`;
    });
  }
}

import { count } from '../rows/wording.js';
import { sourceName } from '../sources/source-name.js';

const NOTICES = {
  repeated: (n: number, where: string) =>
    n === 1
      ? `1 line repeats the header (${where}): it is skipped.`
      : `${count(n)} lines repeat the header (${where}): they are skipped.`,
  spans: (n: number, where: string) =>
    `${n === 1 ? '1 record takes' : `${count(n)} records take`} up several lines that look like records of their own (${where}). If quotes are plain characters in this file, give --quote none.`,
  unclosed: (n: number, where: string) =>
    `${n === 1 ? '1 line opens' : `${count(n)} lines open`} a quote that is never closed (${where}): double quotes are read as plain characters there. Say --quote none to have it so everywhere, or --quote double.`,
  nulls: (n: number, where: string) =>
    `${n === 1 ? '1 record holds' : `${count(n)} records hold`} \\N (${where}): read as absent, as COPY and MySQL write it. If backslashes in texts are escapes too, write the file as CSV: psql -c "\\copy (select ...) to 'FILE.csv' csv header"`,
  trailing: (n: number, where: string) =>
    `${n === 1 ? '1 record ends' : `${count(n)} records end`} with delimiters more than the header has (${where}): the empty fields are left out.`,
} as const;

/** What was skipped or is doubtful in a table: counted, with the first place. */
export class CsvTally {
  readonly #found = new Map<keyof typeof NOTICES, { count: number; line: number }>();

  note(what: keyof typeof NOTICES, line: number): void {
    const found = this.#found.get(what);
    if (found === undefined) this.#found.set(what, { count: 1, line });
    else found.count += 1;
  }

  /** Sentences for a person. */
  notices(source: string): string[] {
    return [...this.#found].map(([what, { count: n, line }]) => {
      const where = n === 1 ? `line ${count(line)}` : `the first at line ${count(line)}`;
      return `${sourceName(source)}: ${NOTICES[what](n, where)}`;
    });
  }
}

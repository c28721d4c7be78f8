import { UserError } from '@tocsin/core';
import type { FieldLookup } from '../rows/fields.js';
import { found as foundFields, printable, wanted } from '../rows/parse-row.js';
import type { RejectKind } from '../rows/reject.js';
import type { CorpusRow } from '../rows/row.js';
import { count } from '../rows/wording.js';
import { ENCODING_HINT } from './encoding.js';
import { sourceName } from './source-name.js';
import { own, type SourceRecord } from './source-record.js';

/** Rows of a source that are looked at; fewer when they are long. */
const FIRST_ROWS = 100;
const FIRST_CHARACTERS = 4 * 1024 * 1024;
/** A longer name of a column is a text: the table has no header. */
const LONGEST_NAME = 60;

export interface FirstRowsRules {
  source: string;
  fields: FieldLookup;
  /** Fields of which a record has one at least. */
  contentColumns: readonly string[];
  /** What the guard scores. */
  task: 'content' | 'trajectory';
  delimiter: string | undefined;
}

/**
 * Looks at the first rows of a source, and refuses it when each is a reject for one reason that lies in how the source is
 * read (its fields, format, delimiter, encoding), or most of them are no UTF-8. The same rows give the same verdict.
 */
export class FirstRows {
  readonly #rules: FirstRowsRules;
  #rows = 0;
  #characters = 0;
  readonly #kinds = new Map<RejectKind | 'absent' | 'other task', number>();
  #reason: string | undefined;
  #record: SourceRecord | undefined;

  constructor(rules: FirstRowsRules) {
    this.#rules = rules;
  }

  /** Whether enough rows were seen. */
  get complete(): boolean {
    return this.#rows >= FIRST_ROWS || this.#characters >= FIRST_CHARACTERS;
  }

  /** Is shown the columns of a table. Throws a `UserError` when none of them can be scored. */
  readonly onColumns = (names: readonly string[]): void => {
    const { contentColumns, fields, source } = this.#rules;
    if (names.some((name) => contentColumns.includes(name))) return;
    const hasHeader = !names.some(
      (name) => name.length > LONGEST_NAME || /^[\d.,-]+$|[.?!]$/.test(name.trim()),
    );
    const name = sourceName(source);
    const other = this.#otherDelimiter(names);
    if (other !== undefined) {
      throw new UserError(`${name} is not separated by ${delimiterName(this.#rules.delimiter ?? ',')}.`, {
        hint: `Its header looks like one with another delimiter: give --delimiter ${other}.`,
      });
    }
    if (!hasHeader) {
      throw new UserError(
        `${name} has no header: its first line names no field to score (${wanted(fields) || contentColumns.join(', ')}).`,
        { hint: `Put one in front: (echo id,text; cat FILE) | tocsin score - --input-format csv` },
      );
    }
    throw new UserError(
      `${name} has no column to score: ${expected(this.#rules)} was expected, and it ${foundFields(Object.fromEntries(names.map((one) => [one, ''])))}.`,
      {
        hint: `Name the column that holds the text: --text-field ${printable(likeliest(names))}. If its first line is not the header: tail -n +2 FILE | tocsin score - --input-format csv`,
      },
    );
  };

  /** Is shown each row, with its record if it has one. */
  see(row: CorpusRow, record: SourceRecord | undefined): void {
    this.#rows += 1;
    this.#record ??= record;
    if (row.kind === 'item') {
      const isTrajectory = 'messages' in row.content;
      if (isTrajectory !== (this.#rules.task === 'trajectory')) this.#count('other task');
      for (const part of Object.values(row.content)) this.#characters += String(part).length;
      return;
    }
    this.#reason ??= row.reason;
    const { contentColumns } = this.#rules;
    const isAbsent =
      row.rejectKind === 'missing' &&
      record !== undefined &&
      !contentColumns.some((name) => Object.hasOwn(record.fields, name));
    this.#count(isAbsent ? 'absent' : row.rejectKind);
  }

  /** What is wrong with the source as a whole, if anything is. */
  verdict(): UserError | undefined {
    const rows = this.#rows;
    if (rows === 0) return undefined;
    const broken = this.#kinds.get('encoding') ?? 0;
    if (broken * 2 > rows) return this.#refusal(broken, 'are not UTF-8', ENCODING_HINT);
    const rejects = [...this.#kinds.values()].reduce((sum, n) => sum + n, 0);
    // Every row is a reject: what most of them have in common is the reason.
    const [kind] = rejects < rows ? [] : ([...this.#kinds].sort(([, a], [, b]) => b - a)[0] ?? []);
    switch (kind) {
      case 'absent':
        return this.#refusal(
          rows,
          `have nothing to score: ${expected(this.#rules)} was expected, and the first ${foundFields(this.#record?.fields ?? {})}`,
          this.#fieldHint(),
        );
      case 'other task':
        return this.#rules.task === 'content'
          ? this.#refusal(
              rows,
              'are chats, and the guard scores texts',
              'Give --shape openai-chat to score the last exchange of each chat, or name a trajectory guard.',
            )
          : this.#refusal(
              rows,
              'are texts, and the guard scores chats of agents',
              'Name the field that holds the messages with --messages-field, or name a content guard.',
            );
      case 'json':
        return this.#refusal(
          rows,
          `are not JSON. ${this.#reason?.replace(/\.$/, '')}`,
          `A table: --input-format csv or tsv. JSON over several lines: jq -c . FILE | tocsin score -; within an object: jq -c '.data[]' FILE. Plain text, one item a line: jq -Rc '{text: .}' FILE | tocsin score -`,
        );
      case 'csv':
        return this.#refusal(
          rows,
          `do not fit the header. ${this.#reason?.replace(/\.$/, '')}`,
          `Name the delimiter (--delimiter ';', --delimiter tab), or say that quotes are plain characters: --quote none.`,
        );
      case 'type':
        return this.#refusal(
          rows,
          `cannot be used. ${this.#reason?.replace(/\.$/, '')}`,
          this.#reason?.startsWith('The id field') === true
            ? 'Name another field for the keys, --id-field NAME, or none to use line numbers: --id-field none.'
            : `Name the field that holds the text (--text-field NAME), --shape openai-chat for chats, or make rows of arrays: jq -c '.[]' FILE | tocsin score -`,
        );
      case 'ambiguous':
        return this.#refusal(
          rows,
          `cannot be used. ${this.#reason?.replace(/\.$/, '')}`,
          'Give the one that is not to be scored another name, for example --text-field none.',
        );
      case 'missing':
        // Chats of which none can be read; empty texts are an affair of the rows.
        return this.#reason?.startsWith('The chat') === true
          ? this.#refusal(
              rows,
              `cannot be used. ${this.#reason.replace(/\.$/, '')}`,
              'Name the field that holds the messages: --messages-field NAME.',
            )
          : undefined;
      default:
        return undefined;
    }
  }

  #count(kind: RejectKind | 'absent' | 'other task'): void {
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
  }

  #refusal(rows: number, what: string, hint: string): UserError {
    const which =
      rows === this.#rows
        ? `The first ${count(rows)} rows`
        : `${count(rows)} of the first ${count(this.#rows)} rows`;
    const said =
      rows === 1
        ? `The first row of ${sourceName(this.#rules.source)}`
        : `${which} of ${sourceName(this.#rules.source)}`;
    return new UserError(`${said} ${rows === 1 ? singular(what) : what}.`, { hint });
  }

  #fieldHint(): string {
    const fields = this.#record?.fields ?? {};
    const chat = Object.keys(fields).find((name) => isChat(own(fields, name)));
    if (chat !== undefined) return `Chats: --shape openai-chat --messages-field ${printable(chat)}.`;
    const list = Object.keys(fields).find((name) => Array.isArray(own(fields, name)));
    if (list !== undefined && Object.keys(fields).length < 3)
      return `Make rows of its elements: jq -c '.${list}[]' FILE | tocsin score -`;
    const texts = Object.keys(fields).filter((name) => typeof own(fields, name) === 'string');
    return `Name the field that holds the text: --text-field ${printable(likeliest(texts.length > 0 ? texts : Object.keys(fields)))}.`;
  }

  /** A delimiter by which the header has a column to score, as it is given on a command line. */
  #otherDelimiter(names: readonly string[]): string | undefined {
    const header = names.join(this.#rules.delimiter ?? ',');
    const { contentColumns } = this.#rules;
    const other = [',', ';', '\t', '|'].find((one) => {
      const cells = header.split(one).map((cell) => cell.trim().replace(/^"|"$/g, '').toLowerCase());
      return cells.length > names.length && cells.some((cell) => contentColumns.includes(cell));
    });
    const split =
      other ?? (names.length === 1 ? [';', '\t', '|'].find((one) => header.includes(one)) : undefined);
    return split === undefined ? undefined : split === '\t' ? 'tab' : `'${split}'`;
  }
}

const delimiterName = (delimiter: string): string => (delimiter === '\t' ? 'tabs' : `"${delimiter}"`);

const singular = (what: string): string =>
  what
    .replace(/^are not/, 'is not')
    .replace(/^are chats/, 'is a chat')
    .replace(/^are texts/, 'is a text')
    .replace(/^have/, 'has')
    .replace(/^do not/, 'does not')
    .replace('and the first has', 'and it has');

const expected = ({ fields, contentColumns }: FirstRowsRules): string =>
  contentColumns.includes(fields.text ?? '') ? wanted(fields) : contentColumns.map(printable).join(' or ');

/** The field that most likely holds the text, by its name. */
function likeliest(names: readonly string[]): string {
  const likely = names.find(
    (name) =>
      !/id$/i.test(name) &&
      /text|content|message|body|comment|tweet|post|sentence|utterance|prompt|question|input/i.test(name),
  );
  return likely ?? names.at(-1) ?? 'NAME';
}

function isChat(value: unknown): boolean {
  const first: unknown = Array.isArray(value) ? value[0] : undefined;
  if (typeof first !== 'object' || first === null) return false;
  return (Object.hasOwn(first, 'role') && Object.hasOwn(first, 'content')) || Object.hasOwn(first, 'from');
}

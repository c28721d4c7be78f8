import { UserError } from '@tocsin/core';
import type { FieldLookup } from '../rows/fields.js';
import { found as foundFields, wanted } from '../rows/parse-row.js';
import type { CorpusRow, RejectKind } from '../rows/row.js';
import { own, type SourceRecord } from '../rows/source-record.js';
import { clauseOf, count, printable } from '../rows/wording.js';
import type { EncodingGuess } from './encoding.js';
import { isChat, recordRemedy, unreadHalf, valueRemedy } from './record-remedy.js';
import { sourceName } from './source-name.js';
import { tableDelimiter, tableRemedy, textRemedy } from './text-remedy.js';

/** Rows of a source that are checked; fewer when they are long. */
const FIRST_ROWS = 100;
const FIRST_CHARACTERS = 4 * 1024 * 1024;
/** A longer column name is a text: the table has no header. */
const LONGEST_NAME = 60;
/** Bytes of the beginning of a source. */
const HEAD_BYTES = 16 * 1024;

export interface FirstRowsRules {
  source: string;
  fields: FieldLookup;
  /** Fields of which a record has at least one. */
  contentColumns: readonly string[];
  /** What the guard scores. */
  task: 'content' | 'trajectory';
  delimiter: string | undefined;
  /** The quoting, if given. */
  quote: string | undefined;
  /** The encoding guess from the same rows. */
  guess: EncodingGuess;
}

/**
 * Checks the first rows of a source, and throws when all are rejects because of how the source is read (fields, format,
 * delimiter, encoding), or when most of them are not UTF-8. The same rows give the same verdict.
 */
export class FirstRows {
  readonly #rules: FirstRowsRules;
  #rows = 0;
  #characters = 0;
  readonly #kinds = new Map<RejectKind | 'absent' | 'other task', number>();
  #reason: string | undefined;
  #record: SourceRecord | undefined;
  #head = '';
  #isTable = false;
  /** Items with all texts in single quotes. */
  #quoted = 0;

  constructor(rules: FirstRowsRules) {
    this.#rules = rules;
  }

  /** Whether enough rows were checked. */
  get complete(): boolean {
    return this.#rows >= FIRST_ROWS || this.#characters >= FIRST_CHARACTERS;
  }

  /** Takes the beginning of the source. */
  readonly onHead = (head: Buffer): void => {
    this.#head = head.toString('utf8', 0, HEAD_BYTES);
  };

  /** Takes the columns of a table. @throws UserError when none of them can be scored */
  readonly onColumns = (names: readonly string[]): void => {
    const { contentColumns, fields, source } = this.#rules;
    this.#isTable = true;
    if (names.some((name) => contentColumns.includes(name))) return;
    const hasHeader = !names.some(
      (name) => name.length > LONGEST_NAME || /^[\d.,-]+$|[.?!]$/.test(name.trim()),
    );
    const name = sourceName(source);
    const fitting = tableRemedy(this.#head, contentColumns, this.#rules.delimiter ?? ',');
    const other = fitting === undefined ? this.#otherDelimiter(names) : undefined;
    if (other !== undefined) {
      throw new UserError(`${name} is not separated by ${delimiterName(this.#rules.delimiter ?? ',')}`, {
        hint: `The header seems to use another delimiter: use --delimiter ${other}.`,
      });
    }
    if (!hasHeader) {
      throw new UserError(
        `${name} has no header: its first line names no field to score (${wanted(fields) || contentColumns.join(', ')})`,
        { hint: fitting ?? missingHeader(names.length, this.#rules.delimiter ?? ',') },
      );
    }
    throw new UserError(
      `${name} has no column to score: ${expected(this.#rules)} was expected, and it ${foundFields(Object.fromEntries(names.map((one) => [one, ''])))}`,
      {
        hint: fitting ?? this.#columnHint(names),
      },
    );
  };

  /** Takes a row, with its record if any. */
  see(row: CorpusRow, record: SourceRecord | undefined): void {
    this.#rows += 1;
    this.#record ??= record;
    if (row.kind === 'item') {
      const isTrajectory = 'messages' in row.content;
      if (isTrajectory !== (this.#rules.task === 'trajectory')) this.#count('other task');
      const parts = Object.values(row.content).map(String);
      for (const part of parts) this.#characters += part.length;
      if (parts.every((part) => /^'[\s\S]*'$/.test(part))) this.#quoted += 1;
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

  /** Throws the verdict, or returns a notice if the rows can be scored but look doubtful. */
  settle(onNotice: ((notice: string) => void) | undefined): void {
    const error = this.#verdict();
    if (error !== undefined) throw error;
    const notice = this.#notice();
    if (notice !== undefined) onNotice?.(notice);
  }

  #notice(): string | undefined {
    if (this.#record === undefined || this.#rules.task !== 'content') return undefined;
    const half = unreadHalf(this.#record.fields, this.#rules.fields);
    return half === undefined ? undefined : `${sourceName(this.#rules.source)}: ${half}`;
  }

  /** What is wrong with the whole source, if anything. */
  #verdict(): UserError | undefined {
    const rows = this.#rows;
    if (rows === 0) return undefined;
    const broken = this.#kinds.get('encoding') ?? 0;
    const { guess } = this.#rules;
    // One row may be damaged; several that are valid in another encoding have that encoding.
    const isWestern = guess.broken > 1 && guess.isWestern;
    if (broken * 2 > rows || isWestern) return this.#refusal(broken, 'are not UTF-8', guess.hint);
    const rejects = [...this.#kinds.values()].reduce((sum, n) => sum + n, 0);
    const items = rows - rejects;
    if (this.#isTable && this.#rules.quote === undefined && items > 0 && rows > 1 && this.#quoted === items) {
      return this.#refusal(
        rows,
        'have texts in single quotes, which would be scored with them',
        'If they enclose fields: --quote single. If they belong to the texts: --quote double.',
      );
    }
    // Every row is a reject: report the most common kind.
    const [kind] = rejects < rows ? [] : ([...this.#kinds].sort(([, a], [, b]) => b - a)[0] ?? []);
    switch (kind) {
      case 'absent':
        return this.#refusal(
          rows,
          `have nothing to score: ${expected(this.#rules)} was expected, and the first ${foundFields(this.#record?.fields ?? {})}`,
          recordRemedy(this.#record?.fields ?? {}, this.#rules.fields),
        );
      case 'other task':
        return this.#rules.task === 'content'
          ? this.#refusal(rows, 'are chats, and the guard scores texts', this.#chatHint())
          : this.#refusal(
              rows,
              'are texts, and the guard scores agent trajectories',
              'Name the field that holds the messages with --messages-field, or name a content guard.',
            );
      case 'json':
        return this.#refusal(
          rows,
          `are not JSON: ${clauseOf(this.#reason ?? '')}`,
          textRemedy(this.#head, this.#rules.contentColumns),
        );
      case 'csv':
        return this.#refusal(
          rows,
          `do not fit the header: ${clauseOf(this.#reason ?? '')}`,
          `Fields that contain the delimiter must be quoted. If the delimiter is another character, set it (--delimiter ';', --delimiter tab); if quotes are plain characters, use --quote none.`,
        );
      case 'type':
        return this.#refusal(rows, `cannot be used: ${clauseOf(this.#reason ?? '')}`, this.#typeHint());
      case 'ambiguous':
        return this.#refusal(
          rows,
          `cannot be used: ${clauseOf(this.#reason ?? '')}`,
          'Rename the field that should not be scored, for example --text-field none.',
        );
      case 'missing':
        // Unreadable chats; empty texts only concern their rows.
        return this.#reason?.startsWith('The chat') === true
          ? this.#refusal(
              rows,
              `cannot be used: ${clauseOf(this.#reason ?? '')}`,
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
        ? `the first ${count(rows)} rows`
        : `${count(rows)} of the first ${count(this.#rows)} rows`;
    const said =
      rows === 1
        ? `the first row of ${sourceName(this.#rules.source)}`
        : `${which} of ${sourceName(this.#rules.source)}`;
    return new UserError(`${said} ${rows === 1 ? singular(what) : what}`, { hint });
  }

  /** The hint for chats, and for lists of messages between people. */
  #chatHint(): string {
    const { fields } = this.#rules;
    const record = this.#record?.fields ?? {};
    const messages = fields.messages === undefined ? undefined : own(record, fields.messages);
    return messages === undefined || isChat(messages)
      ? 'Use --shape openai-chat to score the last exchange of each chat, or a trajectory guard.'
      : recordRemedy(record, fields);
  }

  #typeHint(): string {
    if (this.#record !== undefined) {
      return (
        valueRemedy(this.#record.fields, this.#rules.fields) ??
        (this.#reason?.startsWith('The id field') === true
          ? 'Use another field for the keys, --id-field NAME, or line numbers: --id-field none.'
          : 'Name the field that holds the text (--text-field NAME), or --shape openai-chat for chats.')
      );
    }
    const each =
      this.#head.trimStart().startsWith('[') && this.#reason?.startsWith('The element') ? '.[] | ' : '';
    return this.#reason?.includes(' is an array') === true
      ? `Select the text: jq -c '${each}{id: .[0], text: .[1]}' FILE | tocsin score -; to split it into rows: jq -c '${each}.[]' FILE | tocsin score -`
      : `Convert them to objects: jq -c '${each}(try (fromjson | objects) // {text: tostring})' FILE | tocsin score -`;
  }

  #columnHint(names: readonly string[]): string {
    const record = Object.fromEntries(names.map((name) => [name, '']));
    const only =
      names.length === 1
        ? `For plain text, one item per line: jq -Rc '{text: .}' FILE | tocsin score -. `
        : '';
    return `${only}${recordRemedy(record, this.#rules.fields).replace('the text field', 'the text column')} If its first line is not the header: tail -n +2 FILE | tocsin score - --input-format csv`;
  }

  /** A delimiter that gives the header a column to score, as a command-line argument. */
  #otherDelimiter(names: readonly string[]): string | undefined {
    const header = names.join(this.#rules.delimiter ?? ',');
    const other = tableDelimiter(header, this.#rules.contentColumns);
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

/** A command that adds a header to a table. */
function missingHeader(columns: number, delimiter: string): string {
  const names = ['id', 'text', ...Array.from({ length: Math.max(0, columns - 2) }, (_, i) => `c${i + 3}`)];
  const header = columns === 1 ? 'text' : names.join(delimiter === '\t' ? '\\t' : delimiter);
  const format = delimiter === '\t' ? 'tsv' : 'csv';
  return `Add a header that names the ${columns === 1 ? 'column' : `${count(columns)} columns`}, with "text" for the text: (printf '${header}\\n'; cat FILE) | tocsin score - --input-format ${format}`;
}

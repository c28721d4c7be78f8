import {
  DEFAULT_RETENTION,
  INPUT_FORMATS,
  type InputFormat,
  QUOTE_STYLES,
  type QuoteStyle,
  RETENTIONS,
  type Retention,
  SHAPES,
  type ShapeName,
  UserError,
} from '@tocsin/core';
import {
  type CorpusFields,
  type CorpusReading,
  DEFAULT_FIELDS,
  findSources,
  sourceLabel,
} from '@tocsin/corpus';
import { readQuery } from '@tocsin/pipeline';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { oneLine } from '../terminal/printable.js';

/** Options of every command that reads a corpus: its format, and what is stored of it. */
export interface CorpusFlags {
  textField: string;
  promptField: string;
  responseField: string;
  messagesField: string;
  toolsField: string;
  idField: string;
  inputFormat?: InputFormat;
  shape?: ShapeName;
  delimiter?: string;
  quote?: QuoteStyle;
  encoding?: string;
  query?: string;
  queryFile?: string;
  dataDir?: string;
  /** For schedules created through the API: the directory of their files. */
  corpusRoots?: string[];
}

/** The help text about sources. */
export const SOURCES =
  'JSONL, CSV, TSV or Parquet files (also .gz and .zst), directories, patterns, postgres://... with --query, or - for standard input';

export function addCorpusOptions(command: Command): Command {
  return command
    .option('--text-field <name>', 'field with the text', DEFAULT_FIELDS.text)
    .option('--prompt-field <name>', 'field with the prompt', DEFAULT_FIELDS.prompt)
    .option('--response-field <name>', 'field with the response', DEFAULT_FIELDS.response)
    .option('--messages-field <name>', "field with an agent's messages", DEFAULT_FIELDS.messages)
    .option('--tools-field <name>', 'field with the tools the agent may call', DEFAULT_FIELDS.tools)
    .option('--id-field <name>', "field with the row's key", DEFAULT_FIELDS.id)
    .addOption(
      new Option('--input-format <format>', 'format of the files (default: from their names)').choices([
        ...INPUT_FORMATS,
      ]),
    )
    .addOption(
      new Option(
        '--shape <shape>',
        'what a record is: a row, a chat (the last exchange is scored), or a request to /v1/moderations',
      )
        .choices([...SHAPES])
        .default('rows'),
    )
    .option('--delimiter <character>', 'separator of CSV fields (default: a comma; a tab in .tsv)', delimiter)
    .addOption(
      new Option(
        '--quote <style>',
        'quotes of CSV and TSV: double or single ones around a field, double ones escaped by backslashes, or none (default: detected)',
      ).choices([...QUOTE_STYLES]),
    )
    .option('--encoding <name>', 'encoding of text that is not UTF-8, e.g. windows-1252 (UTF-16 is detected)')
    .option('--query <sql>', 'query that returns the corpus; the source is a database URL')
    .option('--query-file <file>', 'file with the query')
    .option(
      '--data-dir <dir>',
      'directory of the embedded database, used when DATABASE_URL is unset (TOCSIN_DATA)',
    );
}

/** A tab is hard to type on a command line. */
function delimiter(text: string): string {
  return text === 'tab' || text === '\\t' ? '\t' : text;
}

/** Field names for the corpus reader. */
function fieldsOf(flags: CorpusFlags): CorpusFields {
  return {
    text: flags.textField,
    prompt: flags.promptField,
    response: flags.responseField,
    messages: flags.messagesField,
    tools: flags.toolsField,
    id: flags.idField,
  };
}

const MAX_RUN_NAME = 200;

/** The name of a run, as an option. */
export function runName(text: string): string {
  if (text.trim() !== '' && text.length <= MAX_RUN_NAME) return text;
  throw new InvalidArgumentError(`Expected 1 to ${MAX_RUN_NAME} characters.`);
}

/** An existing corpus and how to read it. */
export interface OpenCorpus {
  /** The sources without passwords: the default name of the run. */
  name: string;
  sources: string[];
  /** Total bytes; undefined when unknown (standard input, a query). */
  bytes: number | undefined;
  reading: CorpusReading;
}

/** Resolves the sources of a corpus. @throws UserError for unreadable ones */
export async function openCorpus(
  given: readonly string[],
  flags: CorpusFlags,
  onNotice: (notice: string) => void = printNotice,
): Promise<OpenCorpus> {
  const reading = await readingOf(flags);
  return {
    name: labels(given).join(' '),
    reading,
    ...(await findSources(given, reading, onNotice)),
  };
}

/** Prints what was guessed, skipped or left out to standard error. */
export function printNotice(notice: string): void {
  console.error(`note: ${oneLine(notice)}`);
}

/** Sources without passwords. */
export function labels(given: readonly string[]): string[] {
  return given.map(sourceLabel);
}

async function readingOf(flags: CorpusFlags): Promise<CorpusReading> {
  const query = await queryOf(flags);
  return { ...givenReading(flags), query };
}

/** The reader options that the command line sets. */
export function givenReading(flags: CorpusFlags): CorpusReading {
  const { inputFormat: format, shape, delimiter, quote, encoding } = flags;
  return {
    fields: fieldsOf(flags),
    format,
    shape,
    delimiter,
    quote,
    encoding,
  };
}

async function queryOf({ query, queryFile }: CorpusFlags): Promise<string | undefined> {
  if (queryFile === undefined) return query;
  if (query !== undefined) {
    throw new UserError('--query and --query-file were both given', { hint: 'Leave one of them out.' });
  }
  return readQuery(queryFile);
}

export interface RetentionFlags {
  retain?: Retention;
}

/** Whose texts stay in the database after the run. */
export function retentionOption(): Option {
  return new Option('--retain <whose>', 'texts to keep in the database after the run')
    .choices([...RETENTIONS])
    .default(DEFAULT_RETENTION);
}

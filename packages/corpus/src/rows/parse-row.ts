import type { RequestFault } from '../shapes/request.js';
import { firstInvalidUtf8 } from '../sources/encoding.js';
import type { FieldLookup } from './fields.js';
import { jsonFault, type LenientJson, parseLenient } from './json-text.js';
import { type KeptFields, type Rejection, type RowContent, rejection, rowKey } from './row.js';
import { jsonRecord, own, type SourceRecord } from './source-record.js';
import { count, printable, typeName } from './wording.js';

/** A parsed record; `key` is undefined without a usable id, `kept` when the record is not an object. */
export type ParsedRow = { key: string | undefined; kept?: KeptFields } & (
  | { content: RowContent }
  | (Rejection & { fault?: RequestFault })
);

const MAX_NAMES = 8;

/** Parses a line of a JSONL file or an element of an array: its record, or why there is none. */
export function parseLine(
  line: Buffer,
  expected = 'a JSON object was expected',
  what: 'line' | 'element' = 'line',
): { record: SourceRecord } | Rejection {
  const json = line.toString('utf8');
  // Decoding inserts U+FFFD for invalid UTF-8; only such lines need the slower check.
  if (json.includes('\ufffd')) {
    const at = firstInvalidUtf8(line);
    if (at !== undefined)
      return rejection('encoding', `The ${what} is not UTF-8: byte ${at + 1} fits no character.`);
  }
  let parsed: LenientJson;
  try {
    parsed = parseLenient(json);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const fault = jsonFault(json);
    const where =
      fault === undefined
        ? ''
        : ` at character ${fault.at + 1}: ${fault.what.replace('the line', `the ${what}`)}`;
    return rejection('json', `The ${what} is not JSON${where}.`);
  }
  const { value: row } = parsed;
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    return rejection('type', `The ${what} is ${typeName(row)}; ${expected}.`);
  }
  return { record: jsonRecord(row, parsed) };
}

/** Parses a line of a JSONL file: its content, or why there is none; `keep` names further fields to return. */
export function parseRow(line: Buffer, fields: FieldLookup, keep: readonly string[] = []): ParsedRow {
  const found = parseLine(line, `a JSON object with ${wanted(fields)} was expected`);
  return 'record' in found ? readRow(found.record, fields, keep) : { key: undefined, ...found };
}

/** The content of a record of the default shape, or why there is none. */
export function readRow(record: SourceRecord, fields: FieldLookup, keep: readonly string[] = []): ParsedRow {
  const kept = keptOf(record, keep);
  const id = keyOf(record, fields.id);
  if ('reason' in id) return { key: undefined, ...id, ...kept };
  const content = readContent(record, fields);
  return { key: id.key, ...('reason' in content ? content : { content }), ...kept };
}

/** The key from a record's id field. */
export function keyOf(record: SourceRecord, field: string | undefined): ReturnType<typeof rowKey> {
  if (field === undefined) return { key: undefined };
  const fault = faultOf(record, field);
  if (fault !== undefined) return fault;
  return rowKey(own(record.fields, field), () => record.json(field), field);
}

/** The requested further fields that the row has. */
export function keptOf({ fields }: SourceRecord, keep: readonly string[]): { kept?: KeptFields } {
  if (keep.length === 0) return {};
  const named = keep
    .filter((field) => Object.hasOwn(fields, field))
    .map((field) => [field, own(fields, field)]);
  return { kept: Object.fromEntries(named) as KeptFields };
}

/** The parts to score, or why there are none. */
function readContent(record: SourceRecord, fields: FieldLookup): RowContent | Rejection {
  const row = record.fields;
  const text = part(row, fields.text);
  const prompt = part(row, fields.prompt);
  const response = part(row, fields.response);
  const messages = part(row, fields.messages);
  if (messages !== undefined) {
    const others = quoted([
      text === undefined ? undefined : fields.text,
      prompt === undefined ? undefined : fields.prompt,
      response === undefined ? undefined : fields.response,
    ]);
    if (others === '') return readTrajectory(messages, record, fields);
    return both(quoted([fields.messages]), others);
  }
  if (text !== undefined && (prompt !== undefined || response !== undefined)) {
    const others = quoted([
      prompt === undefined ? undefined : fields.prompt,
      response === undefined ? undefined : fields.response,
    ]);
    return both(quoted([fields.text]), others);
  }
  if (text === undefined && prompt === undefined && response === undefined) {
    return rejection(
      'missing',
      `The row has no text to score: ${wanted(fields)} was expected, and it ${found(row)}.`,
    );
  }
  const fault =
    partFault(record, text, fields.text) ??
    partFault(record, prompt, fields.prompt) ??
    partFault(record, response, fields.response);
  if (fault !== undefined) return fault;
  if (typeof text === 'string') return { text };
  return {
    ...(typeof prompt === 'string' && { prompt }),
    ...(typeof response === 'string' && { response }),
  };
}

const both = (one: string, other: string): Rejection =>
  rejection('ambiguous', `The row has both ${one} and ${other}; only one of them was expected.`);

function readTrajectory(
  messages: unknown,
  record: SourceRecord,
  fields: FieldLookup,
): RowContent | Rejection {
  const fault = faultOf(record, fields.messages) ?? faultOf(record, fields.tools);
  if (fault !== undefined) return fault;
  if (!Array.isArray(messages)) {
    return wrongType(fields.messages, messages, 'an array');
  }
  const tools = part(record.fields, fields.tools) === undefined ? undefined : sourceOf(record, fields.tools);
  return { messages: sourceOf(record, fields.messages), tools };
}

/** The JSON text of an existing field. */
function sourceOf(record: SourceRecord, field = ''): string {
  const source = record.json(field);
  if (source === undefined) throw new Error(`the row's field ${printable(field)} was not found in it`);
  return source;
}

/** The fault that the format found in a field, if any. */
export function faultOf(record: SourceRecord, field: string | undefined): Rejection | undefined {
  const fault = field === undefined ? undefined : record.fault?.(field);
  return fault && rejection(fault.kind, `The field ${quoted([field])} ${fault.what}.`);
}

/** A part's value; null counts as absent. */
function part(row: object, field: string | undefined): unknown {
  return field === undefined ? undefined : (own(row, field) ?? undefined);
}

const wrongType = (field: string | undefined, value: unknown, expected: string): Rejection =>
  rejection('type', `The field ${quoted([field])} is ${typeName(value)}; ${expected} was expected.`);

function partFault(record: SourceRecord, value: unknown, field: string | undefined): Rejection | undefined {
  if (value === undefined) return undefined;
  const fault = faultOf(record, field);
  if (fault !== undefined) return fault;
  if (typeof value !== 'string') return wrongType(field, value, 'a string');
  if (value.isWellFormed()) return undefined;
  return rejection(
    'encoding',
    `The field ${quoted([field])} holds half of a surrogate pair, which is no character.`,
  );
}

/** The expected fields: `"text", or "prompt" and "response", or "messages"`. */
export function wanted(fields: FieldLookup): string {
  const pair = quoted([fields.prompt, fields.response]);
  const ways = [quoted([fields.text]), pair, quoted([fields.messages])].filter((way) => way !== '');
  return ways.join(', or ');
}

function quoted(names: (string | undefined)[]): string {
  return names
    .filter((name) => name !== undefined)
    .map(printable)
    .join(' and ');
}

/** The names of the row's fields, without values. */
export function found(row: object): string {
  const names = Object.keys(row);
  if (names.length === 0) return 'has no field';
  const shown = names
    .slice(0, MAX_NAMES)
    .map((name) => printable(name) + (own(row, name) === null ? ' (null)' : ''));
  const more = names.length - shown.length;
  return `has ${shown.join(', ')}${more > 0 ? ` and ${count(more)} more` : ''}`;
}

import type { FieldLookup } from './fields.js';
import { firstInvalidUtf8 } from './invalid-utf8.js';
import { jsonFault } from './json-fault.js';
import type { KeptFields, RowContent } from './row.js';
import { rowKey } from './row-key.js';
import { jsonRecord, own, type SourceRecord } from './source-record.js';
import { count, typeName } from './wording.js';

/** What one record holds; `key` is undefined when the row has no id that can be one, `kept` when it is no object. */
export type ParsedRow = { key: string | undefined; kept?: KeptFields } & (
  | { content: RowContent }
  | { reason: string }
);

const MAX_NAMES = 8;
const MAX_NAME_LENGTH = 40;

/** Read one line of a JSONL file: its record, or the reason why it has none. */
export function parseLine(
  line: Buffer,
  expected = 'a JSON object was expected',
): { record: SourceRecord } | { reason: string } {
  const json = line.toString('utf8');
  // Decoding puts U+FFFD where bytes are no UTF-8; only such lines need the slower look.
  if (json.includes('\ufffd')) {
    const at = firstInvalidUtf8(line);
    if (at !== undefined) return { reason: `The line is not UTF-8: byte ${at + 1} fits no character.` };
  }
  let row: unknown;
  try {
    row = JSON.parse(json);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const fault = jsonFault(json);
    const where = fault === undefined ? '' : ` at character ${fault.at + 1}: ${fault.what}`;
    return { reason: `The line is not JSON${where}.` };
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    return { reason: `The line is ${typeName(row)}; ${expected}.` };
  }
  return { record: jsonRecord(row, json) };
}

/** Read one line of a JSONL file: its content, or the reason why it has none; `keep` names further fields to hand on. */
export function parseRow(line: Buffer, fields: FieldLookup, keep: readonly string[] = []): ParsedRow {
  const found = parseLine(line, `a JSON object with ${wanted(fields)} was expected`);
  return 'record' in found ? readRow(found.record, fields, keep) : { key: undefined, reason: found.reason };
}

/** What a record of the usual shape holds: its content, or the reason why it has none. */
export function readRow(record: SourceRecord, fields: FieldLookup, keep: readonly string[] = []): ParsedRow {
  const kept = keptOf(record, keep);
  const id = keyOf(record, fields.id);
  if ('fault' in id) return { key: undefined, reason: id.fault, ...kept };
  const content = readContent(record, fields);
  return { key: id.key, ...(typeof content === 'string' ? { reason: content } : { content }), ...kept };
}

/** The key that a record's id field gives. */
export function keyOf(record: SourceRecord, field: string | undefined): ReturnType<typeof rowKey> {
  if (field === undefined) return { key: undefined };
  const fault = faultOf(record, field);
  if (fault !== undefined) return { fault };
  return rowKey(own(record.fields, field), () => record.json(field), field);
}

/** The fields that the caller wants to have, those of them that the row has. */
export function keptOf({ fields }: SourceRecord, keep: readonly string[]): { kept?: KeptFields } {
  if (keep.length === 0) return {};
  const named = keep
    .filter((field) => Object.hasOwn(fields, field))
    .map((field) => [field, own(fields, field)]);
  return { kept: Object.fromEntries(named) as KeptFields };
}

/** The parts to score, or the reason why there are none. */
function readContent(record: SourceRecord, fields: FieldLookup): RowContent | string {
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
    return `The row has both ${quoted([fields.messages])} and ${others}; one way or the other was expected.`;
  }
  if (text !== undefined && (prompt !== undefined || response !== undefined)) {
    const others = quoted([
      prompt === undefined ? undefined : fields.prompt,
      response === undefined ? undefined : fields.response,
    ]);
    return `The row has both ${quoted([fields.text])} and ${others}; one way or the other was expected.`;
  }
  if (text === undefined && prompt === undefined && response === undefined) {
    return `The row has no text to score: ${wanted(fields)} was expected, and it ${found(row)}.`;
  }
  const fault =
    partFault(record, text, fields.text) ??
    partFault(record, prompt, fields.prompt) ??
    partFault(record, response, fields.response);
  if (fault !== undefined) return fault;
  if (typeof text === 'string') return { text };
  return {
    ...(typeof prompt === 'string' ? { prompt } : {}),
    ...(typeof response === 'string' ? { response } : {}),
  };
}

function readTrajectory(messages: unknown, record: SourceRecord, fields: FieldLookup): RowContent | string {
  const fault = faultOf(record, fields.messages) ?? faultOf(record, fields.tools);
  if (fault !== undefined) return fault;
  if (!Array.isArray(messages)) {
    return `The field ${quoted([fields.messages])} is ${typeName(messages)}; an array was expected.`;
  }
  const tools = part(record.fields, fields.tools) === undefined ? undefined : sourceOf(record, fields.tools);
  return { messages: sourceOf(record, fields.messages), ...(tools === undefined ? {} : { tools }) };
}

/** The JSON text of a field that the record has. */
function sourceOf(record: SourceRecord, field = ''): string {
  const source = record.json(field);
  if (source === undefined) throw new Error(`the row's field ${printable(field)} was not found in it`);
  return source;
}

/** The reason why a field cannot be used, if its format found one. */
export function faultOf(record: SourceRecord, field: string | undefined): string | undefined {
  const fault = field === undefined ? undefined : record.fault?.(field);
  return fault === undefined ? undefined : `The field ${quoted([field])} ${fault}.`;
}

/** A part's value; null counts as absent. */
function part(row: object, field: string | undefined): unknown {
  return field === undefined ? undefined : (own(row, field) ?? undefined);
}

function partFault(record: SourceRecord, value: unknown, field: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const fault = faultOf(record, field);
  if (fault !== undefined) return fault;
  if (typeof value !== 'string')
    return `The field ${quoted([field])} is ${typeName(value)}; a string was expected.`;
  if (value.isWellFormed()) return undefined;
  return `The field ${quoted([field])} holds half of a surrogate pair, which is no character.`;
}

/** The fields that are looked for: `"text", or "prompt" and "response", or "messages"`. */
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

/** The names, and only the names, of the fields that the row has. */
export function found(row: object): string {
  const names = Object.keys(row);
  if (names.length === 0) return 'has no field';
  const shown = names
    .slice(0, MAX_NAMES)
    .map((name) => printable(name) + (own(row, name) === null ? ' (null)' : ''));
  const more = names.length - shown.length;
  return `has ${shown.join(', ')}${more > 0 ? ` and ${count(more)} more` : ''}`;
}

/** A field name in quotes that is short and safe on a terminal and in a database. */
export function printable(name: string): string {
  const short = name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name;
  return JSON.stringify(short).replace(/[\u007f-\u009f\u2028\u2029]/g, '?');
}

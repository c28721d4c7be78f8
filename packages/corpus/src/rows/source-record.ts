import type { FormatOptions } from '../formats/format-options.js';
import { jsonFault, type LenientJson } from './json-text.js';
import type { Rejection, RejectKind } from './row.js';

/** Why a field's value cannot be used; continues "The field "text" ". */
interface FieldFault {
  kind: RejectKind;
  what: string;
}

/** A record of a source in any format, from which a shape makes rows. */
export interface SourceRecord {
  /** JSON values by name; null counts as absent. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** A field's value as JSON text, as spelled in the source if possible. */
  json(field: string): string | undefined;
  fault?(field: string): FieldFault | undefined;
}

/** The record at a position of the source (1-based line, or row without lines), or why there is none. */
export type Found = { line: number; unit?: 'row' } & ({ record: SourceRecord } | Rejection);

/** A record from a JSON object. Fields with NaN or an infinity cannot be used. */
export function jsonRecord(fields: object, { json, nonFinite }: Omit<LenientJson, 'value'>): SourceRecord {
  const record = {
    fields: fields as Record<string, unknown>,
    json: (field: string) => fieldSource(json, field),
  };
  if (nonFinite === undefined) return record;
  return {
    ...record,
    fault: (field) =>
      fieldSource(json, field)?.includes(nonFinite) === true
        ? { kind: 'json', what: 'contains NaN or Infinity, which JSON does not allow' }
        : undefined,
  };
}

/** An own field of the record, never of its prototype: a field may be named "constructor". */
export function own(fields: object, field: string): unknown {
  return Object.hasOwn(fields, field) ? (fields as Record<string, unknown>)[field] : undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

/**
 * The source text of a field in a JSON object: `JSON.parse` rounds numbers and reorders keys. `json` is a valid JSON
 * object; the last of duplicate names counts, as in `JSON.parse`. Undefined when the field is absent.
 */
export function fieldSource(json: string, field: string): string | undefined {
  let depth = 0;
  let source: string | undefined;
  let from: number | undefined;
  for (let at = 0; at < json.length; at += 1) {
    const char = json.charCodeAt(at);
    if (char === QUOTE) {
      const end = endOfString(json, at);
      // At the object's top level, a string before a colon is a name.
      if (depth === 1 && from === undefined) {
        const colon = skipBlanks(json, end);
        if (json[colon] === ':' && JSON.parse(json.slice(at, end)) === field)
          from = skipBlanks(json, colon + 1);
      }
      // After a matching name, continue at the value.
      at = Math.max(end, from ?? 0) - 1;
    } else if (OPENING.has(char)) {
      depth += 1;
    } else {
      if (CLOSING.has(char)) depth -= 1;
      const ends = depth === 0 || (depth === 1 && char === COMMA);
      if (ends && from !== undefined) {
        source = json.slice(from, at).trimEnd();
        from = undefined;
      }
    }
  }
  return source;
}

function endOfString(json: string, from: number): number {
  let at = from + 1;
  while (at < json.length && json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function skipBlanks(json: string, from: number): number {
  let at = from;
  while (at < json.length && ' \t\r\n'.includes(json.charAt(at))) at += 1;
  return at;
}

/** A cell whose value cannot be used. */
export class FaultyCell {
  readonly fault: FieldFault;

  constructor(fault: FieldFault) {
    this.fault = fault;
  }
}

/**
 * A record of cells, from CSV, Parquet or SQL. These formats have no JSON type: string cells in `jsonColumns` are parsed
 * as JSON, and an id may also be a boolean.
 */
export function cellRecord(
  cells: Record<string, unknown>,
  { jsonColumns, idColumn }: Pick<FormatOptions, 'jsonColumns' | 'idColumn'>,
): SourceRecord {
  const id = idColumn !== undefined && Object.hasOwn(cells, idColumn) ? cells[idColumn] : undefined;
  if (idColumn !== undefined && typeof id === 'boolean') cells[idColumn] = String(id);
  const spelled = new Map<string, string>();
  const faults = new Map<string, FieldFault>();
  for (const field of jsonColumns) {
    const cell = Object.hasOwn(cells, field) ? cells[field] : undefined;
    if (typeof cell !== 'string') continue;
    try {
      cells[field] = JSON.parse(cell);
      spelled.set(field, cell.trim());
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const fault = jsonFault(cell);
      const where = fault === undefined ? '' : ` at character ${fault.at + 1}: ${fault.what}`;
      faults.set(field, { kind: 'json', what: `is not JSON${where.replace('the line', 'it')}` });
    }
  }
  for (const [field, cell] of Object.entries(cells)) {
    if (cell instanceof FaultyCell) faults.set(field, cell.fault);
  }
  return {
    fields: cells,
    json: (field) =>
      spelled.get(field) ?? (Object.hasOwn(cells, field) ? JSON.stringify(cells[field]) : undefined),
    fault: (field) => faults.get(field),
  };
}

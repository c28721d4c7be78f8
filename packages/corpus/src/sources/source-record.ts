import { fieldSource } from '../rows/field-source.js';
import type { LenientJson } from '../rows/lenient-json.js';
import type { Rejection, RejectKind } from '../rows/reject.js';

/** Why a field's value cannot be used; continues "The field "text" ". */
export interface FieldFault {
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

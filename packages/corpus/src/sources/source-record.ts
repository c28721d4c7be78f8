import { fieldSource } from '../rows/field-source.js';
import type { LenientJson } from '../rows/lenient-json.js';
import type { Rejection, RejectKind } from '../rows/reject.js';

/** Why a field's value cannot be used, as it goes on after "The field "text" ". */
export interface FieldFault {
  kind: RejectKind;
  what: string;
}

/** One record of a source, whatever its format: what a shape makes rows of. */
export interface SourceRecord {
  /** JSON values by name; null counts as absent. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** A field's value as JSON text, in the source's own spelling where it has one. */
  json(field: string): string | undefined;
  fault?(field: string): FieldFault | undefined;
}

/** What a format finds at a place of its source (1-based line, or row where it has no lines): a record, or why there is none. */
export type Found = { line: number; unit?: 'row' } & ({ record: SourceRecord } | Rejection);

/** A record that was an object in JSON text. A field that holds NaN or an infinity cannot be used. */
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
        ? { kind: 'json', what: 'holds NaN or Infinity, which JSON does not have' }
        : undefined,
  };
}

/** A field of the record itself, never of its prototype: a field may be named "constructor". */
export function own(fields: object, field: string): unknown {
  return Object.hasOwn(fields, field) ? (fields as Record<string, unknown>)[field] : undefined;
}

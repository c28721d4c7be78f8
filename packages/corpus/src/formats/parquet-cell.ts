import { isUtf8 } from 'node:buffer';
import type { ParquetParsers } from 'hyparquet';
import { FaultyCell } from '../cell-record.js';

/** Text that is decoded only when it is UTF-8; JSON stays as it is written. */
export const PARSERS: Partial<ParquetParsers> = {
  stringFromBytes: textOf,
  jsonFromBytes: textOf,
};

function textOf(bytes: Uint8Array | undefined): string | FaultyCell | undefined {
  if (bytes === undefined) return undefined;
  if (!isUtf8(bytes)) return new FaultyCell({ kind: 'encoding', what: 'is not UTF-8' });
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/**
 * A value of Parquet as one of JSON: an integer beyond 2^53 and a decimal string of it, times in ISO 8601, bytes in hex.
 * A struct's null member is left out: Parquet cannot say that it was absent.
 */
export function jsonValue(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case 'undefined':
      return null;
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null || value instanceof FaultyCell) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return Array.from(value as ArrayLike<unknown>, jsonValue);
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, jsonValue(member)]));
}

/** A fault in a value or in what it holds. */
export function faultIn(value: unknown): FaultyCell | undefined {
  if (value instanceof FaultyCell) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const member of Object.values(value)) {
    const fault = faultIn(member);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

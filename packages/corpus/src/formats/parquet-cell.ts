import { isUtf8 } from 'node:buffer';
import type { FileMetaData, ParquetParsers } from 'hyparquet';
import { FaultyCell } from '../rows/source-record.js';

/**
 * Parsers that decode text only if it is valid UTF-8, keep JSON as written and times at full precision. Columns marked by
 * `exactDecimals` stay bytes.
 */
export const PARSERS: Partial<ParquetParsers> = {
  stringFromBytes: textOf,
  jsonFromBytes: textOf,
  timestampFromMicroseconds: (micros: bigint) => instant(micros * 1000n),
  timestampFromNanoseconds: instant,
  geometryFromBytes: (bytes: Uint8Array | undefined) => bytes,
  geographyFromBytes: (bytes: Uint8Array | undefined) => bytes,
} as Partial<ParquetParsers>;

const NANOS_A_MILLISECOND = 1_000_000n;

/** Nanoseconds since 1970 as ISO 8601 with 3, 6 or 9 fractional digits, as needed. */
function instant(nanos: bigint | undefined): string | undefined {
  if (nanos === undefined) return undefined;
  const rest = ((nanos % NANOS_A_MILLISECOND) + NANOS_A_MILLISECOND) % NANOS_A_MILLISECOND;
  const date = new Date(Number((nanos - rest) / NANOS_A_MILLISECOND));
  if (Number.isNaN(date.getTime())) return undefined;
  const digits = String(rest)
    .padStart(6, '0')
    .replace(/^000000$|000$/, '');
  return date.toISOString().replace('Z', `${digits}Z`);
}

/**
 * Makes the reader return the decimals of top-level columns as unscaled integers: it would convert them to doubles, which
 * hold 15 digits. Mutates the metadata.
 * @returns the scale of each such column, by name
 */
export function exactDecimals({ schema }: FileMetaData): Map<string, number> {
  const scales = new Map<string, number>();
  let nested = 0;
  for (const element of schema.slice(1)) {
    const children = element.num_children ?? 0;
    if (nested > 0) nested += children - 1;
    else if (children > 0) nested = children;
    else if (element.converted_type === 'DECIMAL' || element.logical_type?.type === 'DECIMAL') {
      scales.set(element.name, element.scale ?? 0);
      delete element.converted_type;
      delete element.logical_type;
      // The only type whose bytes reach a parser unchanged.
      if (element.type === 'BYTE_ARRAY') element.logical_type = { type: 'GEOMETRY' };
    }
  }
  return scales;
}

/** A decimal with all its digits: 150 with scale 2 is "1.50". */
export function decimalText(value: unknown, scale: number): string | null {
  if (value === null || value === undefined) return null;
  const unscaled = value instanceof Uint8Array ? signed(value) : BigInt(value as number | bigint);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  if (scale === 0) return `${sign}${digits}`;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Big-endian two's complement. */
function signed(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}

function textOf(bytes: Uint8Array | undefined): string | FaultyCell | undefined {
  if (bytes === undefined) return undefined;
  if (!isUtf8(bytes)) return new FaultyCell({ kind: 'encoding', what: 'is not UTF-8' });
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/**
 * Converts a Parquet value to JSON: integers beyond 2^53 and decimals become strings, dates ISO 8601, bytes hex. Null
 * members of a struct are omitted: Parquet cannot tell null from absent.
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

/** The first fault within a value. */
export function faultIn(value: unknown): FaultyCell | undefined {
  if (value instanceof FaultyCell) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const member of Object.values(value)) {
    const fault = faultIn(member);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

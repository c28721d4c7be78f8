import { type ByteCursor, damaged } from './byte-cursor.js';

/** The types of metadata values, indexed by their code in the file. */
const VALUE_TYPES = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
] as const;
type ValueType = (typeof VALUE_TYPES)[number];
type ElementType = Exclude<ValueType, 'array'>;

type Scalar = number | bigint | boolean | string;
/** Numbers stay in typed arrays: a vocabulary has 150,000. */
type Elements = readonly string[] | ReturnType<(typeof NUMBER_ARRAYS)[keyof typeof NUMBER_ARRAYS]['from']>;

/** A metadata value with its type in the file. */
export type MetadataEntry =
  | { type: ElementType; value: Scalar }
  | { type: 'array'; elementType: ElementType; value: Elements };

/** Minimum size of each type; a string has at least its length. */
const MIN_STRING_BYTES = 8;

// GGUF and every platform of onnxruntime-node are little-endian, so the bytes are the array.
const NUMBER_ARRAYS = {
  uint8: { bytes: 1, from: (buffer: ArrayBuffer) => new Uint8Array(buffer) },
  int8: { bytes: 1, from: (buffer: ArrayBuffer) => new Int8Array(buffer) },
  uint16: { bytes: 2, from: (buffer: ArrayBuffer) => new Uint16Array(buffer) },
  int16: { bytes: 2, from: (buffer: ArrayBuffer) => new Int16Array(buffer) },
  uint32: { bytes: 4, from: (buffer: ArrayBuffer) => new Uint32Array(buffer) },
  int32: { bytes: 4, from: (buffer: ArrayBuffer) => new Int32Array(buffer) },
  float32: { bytes: 4, from: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  bool: { bytes: 1, from: (buffer: ArrayBuffer) => new Uint8Array(buffer) },
  uint64: { bytes: 8, from: (buffer: ArrayBuffer) => new BigUint64Array(buffer) },
  int64: { bytes: 8, from: (buffer: ArrayBuffer) => new BigInt64Array(buffer) },
  float64: { bytes: 8, from: (buffer: ArrayBuffer) => new Float64Array(buffer) },
} as const satisfies Record<Exclude<ElementType, 'string'>, unknown>;

/** Reads a value's type and the value. `cursor.reading` must name the key. */
export function readMetadataEntry(cursor: ByteCursor): MetadataEntry {
  const type = readType(cursor);
  if (type !== 'array') return { type, value: readScalar(cursor, type) };

  const elementType = readType(cursor);
  if (elementType === 'array') {
    throw damaged(cursor.path, `${cursor.reading} is an array of arrays, which GGUF readers do not take`);
  }
  const count = cursor.length('an array length of');
  if (elementType !== 'string') {
    const { bytes, from } = NUMBER_ARRAYS[elementType];
    cursor.expectRoom(count, bytes, 'an array length of');
    return { type, elementType, value: from(cursor.bytes(count * bytes)) };
  }
  cursor.expectRoom(count, MIN_STRING_BYTES, 'an array length of');
  const strings: string[] = [];
  for (let i = 0; i < count; i++) strings.push(cursor.string());
  return { type, elementType, value: strings };
}

function readType(cursor: ByteCursor): ValueType {
  const id = cursor.u32();
  const type = VALUE_TYPES[id];
  if (type === undefined) {
    throw damaged(
      cursor.path,
      `${cursor.reading} has value type ${id}; expected 0 to ${VALUE_TYPES.length - 1}`,
    );
  }
  return type;
}

function readScalar(cursor: ByteCursor, type: ElementType): Scalar {
  switch (type) {
    case 'uint8':
      return cursor.u8();
    case 'int8':
      return cursor.i8();
    case 'uint16':
      return cursor.u16();
    case 'int16':
      return cursor.i16();
    case 'uint32':
      return cursor.u32();
    case 'int32':
      return cursor.i32();
    case 'float32':
      return cursor.f32();
    case 'float64':
      return cursor.f64();
    case 'uint64':
      return numberWhenSafe(cursor.u64());
    case 'int64':
      return numberWhenSafe(cursor.i64());
    case 'string':
      return cursor.string();
    case 'bool':
      return readBool(cursor);
  }
}

function readBool(cursor: ByteCursor): boolean {
  const value = cursor.u8();
  if (value > 1) throw damaged(cursor.path, `${cursor.reading} is a boolean of ${value}; expected 0 or 1`);
  return value === 1;
}

function numberWhenSafe(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The kinds a caller may ask for, and the type each returns. */
interface Kinds {
  /** Any of the integer types, within the safe range. */
  integer: number;
  /** float32 or float64. */
  float: number;
  boolean: boolean;
  string: string;
  strings: readonly string[];
  integers: ArrayLike<number>;
}
type Kind = keyof Kinds;

const SAID: Record<Kind, string> = {
  integer: 'an integer',
  float: 'a float',
  boolean: 'a boolean',
  string: 'a string',
  strings: 'an array of strings',
  integers: 'an array of integers',
};

/** A GGUF file's key-value pairs. Asking for one checks its type. */
export class Metadata {
  constructor(
    readonly path: string,
    readonly entries: ReadonlyMap<string, MetadataEntry>,
  ) {}

  /** @throws UserError when the key is missing or holds another type */
  get<K extends Kind>(key: string, kind: K): Kinds[K] {
    const value = this.find(key, kind);
    if (value === undefined) {
      throw damaged(this.path, `metadata key "${key}" is missing; expected ${SAID[kind]}`);
    }
    return value;
  }

  /** Like `get`, for an optional key. */
  find<K extends Kind>(key: string, kind: K): Kinds[K] | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    if (kindOf(entry) !== kind) {
      throw damaged(this.path, `metadata key "${key}" is ${typeName(entry)}; expected ${SAID[kind]}`);
    }
    if (kind === 'integer' && !Number.isSafeInteger(entry.value)) {
      throw damaged(this.path, `metadata key "${key}" is ${entry.value}; expected a smaller number`);
    }
    // kindOf() has just checked the type.
    return entry.value as Kinds[K];
  }
}

function kindOf(entry: MetadataEntry): Kind | undefined {
  switch (entry.type) {
    case 'string':
      return 'string';
    case 'bool':
      return 'boolean';
    case 'float32':
    case 'float64':
      return 'float';
    case 'array':
      if (entry.elementType === 'string') return 'strings';
      return /^u?int(8|16|32)$/.test(entry.elementType) ? 'integers' : undefined;
    default:
      return 'integer';
  }
}

function typeName(entry: MetadataEntry): string {
  return entry.type === 'array' ? `an array of ${entry.elementType}` : `of type ${entry.type}`;
}

import { damaged } from './gguf-error.js';
import type { MetadataEntry } from './metadata-value.js';

/** What a caller may ask a metadata key for, and what it gets. */
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

  /** The same for a key that the format lets a file leave out. */
  find<K extends Kind>(key: string, kind: K): Kinds[K] | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    if (kindOf(entry) !== kind) {
      throw damaged(this.path, `metadata key "${key}" is ${typeName(entry)}; expected ${SAID[kind]}`);
    }
    if (kind === 'integer' && !Number.isSafeInteger(entry.value)) {
      throw damaged(this.path, `metadata key "${key}" is ${entry.value}; expected a smaller number`);
    }
    // kindOf() has just compared the entry's type with the one that Kinds names for it.
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

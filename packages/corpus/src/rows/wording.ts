/** What a JSON value is, with its article: "an array". */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'boolean' ? 'true or false' : `a ${typeof value}`;
}

/** A number for a person: 1,234,567. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

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

const MAX_NAME_LENGTH = 40;

/** A field name in quotes that is short and safe on a terminal and in a database. */
export function printable(name: string): string {
  const short = name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name;
  return JSON.stringify(short).replace(/[\u007f-\u009f\u2028\u2029]/g, '?');
}

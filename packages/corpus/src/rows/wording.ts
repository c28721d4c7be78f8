/** The type of a JSON value with its article: "an array". */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'boolean' ? 'true or false' : `a ${typeof value}`;
}

/** A formatted number: 1,234,567. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A reject's reason without its capital and full stop, to follow a colon. */
export function clauseOf(reason: string): string {
  return reason.charAt(0).toLowerCase() + reason.slice(1).replace(/\.$/, '');
}

const MAX_NAME_LENGTH = 40;

/** A quoted field name, shortened and safe for terminals and databases. */
export function printable(name: string): string {
  const short = name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name;
  return JSON.stringify(short).replace(/[\u007f-\u009f\u2028\u2029]/g, '?');
}

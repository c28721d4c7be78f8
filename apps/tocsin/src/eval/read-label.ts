/** 1 harmful, 0 safe. */
export type Label = 0 | 1;

/** What a row's label field says: a label, nothing, or something that is no label (a reason for a person). */
export type ReadLabel = { label: Label } | { absent: true } | { fault: string };

const HARMFUL: ReadonlySet<string> = new Set(['1', 'true', 'harmful', 'unsafe']);
const SAFE: ReadonlySet<string> = new Set(['0', 'false', 'safe']);

/**
 * Reads a label: 1 or 0, true or false (also as strings), "harmful" or "unsafe" against "safe". With `positive`, that
 * value is harmful and every other one is safe. Null counts as absent. Nothing is guessed: everything else is a fault.
 */
export function readLabel(value: unknown, field: string, positive?: string): ReadLabel {
  if (value === undefined || value === null) return { absent: true };
  const name = JSON.stringify(field);
  if (typeof value === 'object') {
    return { fault: `The label field ${name} is ${Array.isArray(value) ? 'an array' : 'an object'}.` };
  }
  const text = String(value);
  if (positive !== undefined) return { label: text === positive ? 1 : 0 };
  if (HARMFUL.has(text.toLowerCase())) return { label: 1 };
  if (SAFE.has(text.toLowerCase())) return { label: 0 };
  // A string may be anything, also the row's text: it is not repeated.
  const found = typeof value === 'number' ? `the number ${value}` : `another ${typeof value}`;
  return { fault: `The label field ${name} is ${found}; ${EXPECTED}.` };
}

const EXPECTED =
  '1 or 0, true or false, harmful (unsafe) or safe was expected, or --positive with the harmful value';

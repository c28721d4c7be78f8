/** What a suffix of a guard may say. */
export const PRECISIONS = ['float32', 'float16', 'bfloat16', 'int8', 'int4'] as const;

/** A guard as `tocsin compare` names it: a reference, and the precision it is to run in. */
export interface GuardSpec {
  ref: string;
  precision: string;
}

const DEFAULT_PRECISION = 'float32';

/**
 * `ref[:precision]`. Only the name of a precision counts as one: `C:\guards\mine` and `owner/name@v1` hold none.
 */
export function parseGuardSpec(text: string): GuardSpec {
  const precision = PRECISIONS.find((name) => text.endsWith(`:${name}`));
  if (precision === undefined) return { ref: text, precision: DEFAULT_PRECISION };
  return { ref: text.slice(0, -precision.length - 1), precision };
}

import { PRECISIONS, type Precision } from '@tocsin/engine';

/** A guard as `tocsin compare` names it: a reference, and the precision it is to run in. */
export interface GuardSpec {
  ref: string;
  /** Undefined: the device's own. */
  precision: Precision | undefined;
}

/**
 * `ref[:precision]`. Only the name of a precision counts as one: `C:\guards\mine` and `owner/name@v1` hold none.
 */
export function parseGuardSpec(text: string): GuardSpec {
  const precision = PRECISIONS.find((name) => text.endsWith(`:${name}`));
  return { ref: precision === undefined ? text : text.slice(0, -precision.length - 1), precision };
}

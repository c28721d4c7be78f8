import type { ComponentChildren, JSX } from 'preact';
import { Problem } from './problem.js';
import { Waiting } from './waiting.js';

/** A question to the server, as far as it is answered. */
interface Asked<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

interface AskedProps<T> {
  of: Asked<T>;
  /** e.g. "the runs". */
  what: string;
  lines?: number;
  children: (data: T) => ComponentChildren;
}

/** Shows an answer; before it a place for it, instead of it what went wrong. A known answer stays while it is asked again. */
export function WhenAnswered<T>({ of, what, lines, children }: AskedProps<T>): JSX.Element {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error) {
    return <Problem error={of.error} title={`Cannot show ${what}`} onRetry={() => void of.refetch()} />;
  }
  return <Waiting what={what} {...(lines === undefined ? {} : { lines })} />;
}

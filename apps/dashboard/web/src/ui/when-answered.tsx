import type { ComponentChildren, JSX } from 'preact';
import { ApiError } from '../api/request.js';
import { sentence } from '../format.js';

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

/** Keeps the place of what is on its way. */
export function Waiting({ what, lines = 4 }: { what: string; lines?: number }): JSX.Element {
  return (
    <div class="waiting" role="status">
      <span class="visually-hidden">Loading {what}</span>
      {Array.from({ length: lines }, (_, line) => (
        <i key={line} />
      ))}
    </div>
  );
}

/** Where there is nothing yet: what would be here, and how to bring it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

interface ProblemProps {
  error: unknown;
  /** What was wanted, e.g. "The runs cannot be shown". */
  title?: string;
  onRetry?: () => void;
}

/** An error, and what to do about it. */
export function Problem({ error, title, onRetry }: ProblemProps): JSX.Element {
  const { message, hint } = told(error);
  return (
    <div class="notice problem" role="alert">
      {title !== undefined && <strong>{title}</strong>}
      <p>{message}</p>
      {hint !== undefined && <p class="soft">{hint}</p>}
      {onRetry !== undefined && (
        <button type="button" class="button small" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** A hint for programs: it names an address of the API, which is of no use on the page. */
const FOR_PROGRAMS = /\b(GET|POST|PATCH|DELETE) \/|\/api\b/;

/** An error's words, as sentences. */
function told(error: unknown): { message: string; hint: string | undefined } {
  if (error instanceof ApiError) {
    const { message, hint } = error;
    const useful = hint !== undefined && !FOR_PROGRAMS.test(hint);
    return { message: sentence(message), hint: useful ? sentence(hint) : undefined };
  }
  return {
    message: sentence(error instanceof Error ? error.message : String(error)),
    hint: 'This is a fault of the page. Reload it; if it comes back, please report it.',
  };
}

/** The same in one line. */
export function wordsOf(error: unknown): string {
  const { message, hint } = told(error);
  return hint === undefined ? message : `${message} ${hint}`;
}

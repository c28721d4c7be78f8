import type { ComponentChildren, JSX } from 'preact';
import { ApiError } from '../api/request.js';
import { sentence } from '../format.js';

/** The state of a query. */
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

/** Shows data, a placeholder while loading, or the error. Known data stays visible while it is refetched. */
export function WhenAnswered<T>({ of, what, lines, children }: AskedProps<T>): JSX.Element {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error) {
    return <Problem error={of.error} title={`Cannot show ${what}`} onRetry={() => void of.refetch()} />;
  }
  return <Waiting what={what} {...(lines === undefined ? {} : { lines })} />;
}

/** A placeholder for loading content. */
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

/** An empty state: what would be here, and how to get it. */
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
  /** What failed, e.g. "Cannot show the runs". */
  title?: string;
  onRetry?: () => void;
}

/** An error, and what to do about it. */
export function Problem({ error, title, onRetry }: ProblemProps): JSX.Element {
  const { message, hint } = asSentences(error);
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

/** A hint for API clients: it names an endpoint, which does not help on the page. */
const FOR_PROGRAMS = /\b(GET|POST|PATCH|DELETE) \/|\/api\b/;

/** An error's message and hint as sentences. */
function asSentences(error: unknown): { message: string; hint: string | undefined } {
  if (error instanceof ApiError) {
    const { message, hint } = error;
    const useful = hint !== undefined && !FOR_PROGRAMS.test(hint);
    return { message: sentence(message), hint: useful ? sentence(hint) : undefined };
  }
  return {
    message: sentence(error instanceof Error ? error.message : String(error)),
    hint: 'This is a bug in the page. Reload it; if it happens again, please report it.',
  };
}

/** The same in one line. */
export function wordsOf(error: unknown): string {
  const { message, hint } = asSentences(error);
  return hint === undefined ? message : `${message} ${hint}`;
}

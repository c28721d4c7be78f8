import type { JSX } from 'preact';
import { ApiError } from '../api/api-error.js';
import { sentence } from '../format/sentence.js';

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

import type { JSX } from 'preact';
import { ApiError } from '../api/api-error.js';

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

/** An error's words. */
export function told(error: unknown): { message: string; hint: string | undefined } {
  if (error instanceof ApiError) return { message: error.message, hint: error.hint };
  return {
    message: error instanceof Error ? error.message : String(error),
    hint: 'This is a fault of the page. Reload it; if it comes back, please report it.',
  };
}

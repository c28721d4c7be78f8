import { isOpen, type RunState } from '@tocsin/contract';
import type { JSX } from 'preact';

const WORDS: Record<RunState, string> = {
  submitting: 'reading rows',
  scoring: 'scoring',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** What a run is at. */
export function RunStateBadge({ state }: { state: RunState }): JSX.Element {
  const look = state === 'failed' ? ' alert' : isOpen(state) ? ' live' : '';
  return <span class={`badge${look}`}>{WORDS[state]}</span>;
}

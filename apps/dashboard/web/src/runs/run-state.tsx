import type { RunState } from '@tocsin/contract';
import type { JSX } from 'preact';

const WORDS: Record<RunState, string> = {
  submitting: 'reading rows',
  scoring: 'scoring',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
};

export function isOver(state: RunState): boolean {
  return state !== 'submitting' && state !== 'scoring';
}

/** What a run is at. */
export function RunStateBadge({ state }: { state: RunState }): JSX.Element {
  const look = state === 'failed' ? ' alert' : isOver(state) ? '' : ' live';
  return <span class={`badge${look}`}>{WORDS[state]}</span>;
}

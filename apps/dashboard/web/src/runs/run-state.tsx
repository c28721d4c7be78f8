import type { JSX } from 'preact';
import type { RunState } from '../../../src/contract/index.js';

const WORDS: Record<RunState, string> = {
  submitting: 'reading rows',
  scoring: 'scoring',
  done: 'done',
  cancelled: 'cancelled',
};

export function isOver(state: RunState): boolean {
  return state === 'done' || state === 'cancelled';
}

/** What a run is at. */
export function RunStateBadge({ state }: { state: RunState }): JSX.Element {
  return <span class={isOver(state) ? 'badge' : 'badge live'}>{WORDS[state]}</span>;
}

import { isOpen, poll, type RunState } from '@tocsin/core';
import { type Pool, withRetry } from '@tocsin/postgres';
import { runHead, runProgress } from '@tocsin/store';
import { openProgress } from '../score/progress.js';

const LOOK_EVERY_MS = 1000;
/** Looking may take this share of the database's time. */
const SHARE_OF_TIME = 0.2;

/** Shows how far a run is until it is over, whoever works on it, or until the signal. */
export async function watchProgress(pool: Pool, runId: number, signal: AbortSignal): Promise<void> {
  const progress = openProgress();
  const look = async (): Promise<RunState | undefined> => {
    const { state, rows } = await withRetry(() => runHead(pool, runId), signal);
    if (!isOpen(state)) return state;
    const { contents, contentsDone, tokens, tokensDone } = await withRetry(
      () => runProgress(pool, runId),
      signal,
    );
    progress.show({
      rowsDone: rows - (contents - contentsDone),
      tokensDone,
      tokensTotal: tokens,
    });
    return undefined;
  };
  try {
    await poll(look, { everyMs: LOOK_EVERY_MS, shareOfTime: SHARE_OF_TIME, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.stop();
  }
}

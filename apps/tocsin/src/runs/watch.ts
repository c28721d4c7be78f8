import { setTimeout as sleep } from 'node:timers/promises';
import { isOpen } from '@tocsin/core';
import { type Pool, withRetry } from '@tocsin/postgres';
import { runHead, runProgress } from '@tocsin/store';
import { openProgress } from '../score/progress.js';

const LOOK_EVERY_MS = 1000;
/** Looking may take this share of the database's time. */
const SHARE_OF_TIME = 0.2;

/** Shows how far a run is until it is over, whoever works on it, or until the signal. */
export async function watchProgress(pool: Pool, runId: number, signal: AbortSignal): Promise<void> {
  const progress = openProgress();
  try {
    while (!signal.aborted) {
      const started = performance.now();
      const { state, rows } = await withRetry(() => runHead(pool, runId), signal);
      if (!isOpen(state)) return;
      const { contents, contentsDone, tokens, tokensDone } = await withRetry(
        () => runProgress(pool, runId),
        signal,
      );
      progress.show({
        rowsDone: rows - (contents - contentsDone),
        tokensDone,
        tokensTotal: tokens,
      });
      await sleep(Math.max(LOOK_EVERY_MS, (performance.now() - started) / SHARE_OF_TIME), undefined, {
        signal,
      });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.stop();
  }
}

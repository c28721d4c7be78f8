import { Loop } from '@tocsin/core';
import { isRunning, type ProcessIdentity } from './process-identity.js';

const INTERVAL = 250;

/**
 * Calls `onGone` once when the process has ended, whoever started it. Does not keep our own process alive.
 * @returns a function that ends the watch
 */
export function watch(identity: ProcessIdentity, onGone: () => void): () => void {
  const look = async (signal: AbortSignal): Promise<void> => {
    if ((await isRunning(identity)) || signal.aborted) return;
    void loop.close();
    onGone();
  };
  const loop = new Loop(look, {
    everyMs: INTERVAL,
    pauseFirst: true,
    keepAlive: false,
    // We could not look (no file descriptor left, say): that tells nothing about the server.
    onError: () => {},
  });
  return () => void loop.close();
}

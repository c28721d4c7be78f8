import { TestDatabase } from '@tocsin/store/testing';
import { type Ended, goldenGuard, type TocsinOptions, tocsin } from './tocsin.js';

/** `tocsin score` with a small guard. */
export interface Scoring {
  score(args: string[], options?: TocsinOptions): Promise<Ended>;
  close(): Promise<void>;
}

/**
 * In a database of its own on the server that all tests share: for tests of what is scored. (An embedded server for each
 * command, which other tests are about, would take most of their time.)
 */
export async function openScoring(): Promise<Scoring> {
  const database = await TestDatabase.empty();
  const env = { DATABASE_URL: database.url, REDIS_URL: undefined };
  return {
    score: (args, options = {}) =>
      tocsin(['score', ...args, ...goldenGuard('qwen3-mlp')], {
        ...options,
        env: { ...env, ...options.env },
      }),
    close: () => database.close(),
  };
}

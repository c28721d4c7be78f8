import { TestDatabase } from '@tocsin/store/testing';
import { type Ended, goldenGuard, type TocsinOptions, tocsin } from './tocsin.js';

/** `tocsin score` with a small guard. */
export interface Scoring {
  score(args: string[], options?: TocsinOptions): Promise<Ended>;
  /** Another command on the same database. */
  run(args: string[], options?: TocsinOptions): Promise<Ended>;
  close(): Promise<void>;
}

/**
 * In a new database on the server shared by all tests: for tests of scoring. An embedded server for each command, which
 * other tests cover, would take most of their time.
 */
export async function openScoring(): Promise<Scoring> {
  const database = await TestDatabase.empty();
  const env = { DATABASE_URL: database.url, REDIS_URL: undefined };
  const run: Scoring['run'] = (args, options = {}) =>
    tocsin(args, { ...options, env: { ...env, ...options.env } });
  return {
    run,
    score: (args, options) => run(['score', ...args, ...goldenGuard('qwen3-mlp')], options),
    close: () => database.close(),
  };
}

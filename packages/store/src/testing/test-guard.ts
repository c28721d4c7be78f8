import type { Pool } from '@tocsin/postgres';
import { createRun, type RunOptions, registerGuard } from '../runs/runs.js';

let guards = 0;

/** A guard of its own, so that its scores are nobody else's, and a run of it. */
export async function newRun(
  pool: Pool,
  options: RunOptions = {},
): Promise<{ guardId: number; runId: number }> {
  guards++;
  const { id: guardId } = await registerGuard(pool, String(guards).padStart(64, '0'), 'test');
  return { guardId, runId: await createRun(pool, guardId, 'corpus.jsonl', options) };
}

/** Another run of the same guard. */
export async function anotherRun(pool: Pool, guardId: number): Promise<{ guardId: number; runId: number }> {
  return { guardId, runId: await createRun(pool, guardId, 'again.jsonl') };
}

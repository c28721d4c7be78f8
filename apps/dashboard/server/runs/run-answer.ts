import type { RunSummary as RunAnswer, RunEvent } from '@tocsin/contract';
import { isOpen } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { findRun, listKeys, type Run, type RunCounts, type RunProgress, runProgress } from '@tocsin/store';
import type { FastifyRequest } from 'fastify';
import { onlyOwner, whoOf } from '../access/who.js';
import { notFound } from '../http/api-error.js';

/**
 * Builds responses about runs; the names of the keys are loaded once.
 * @param ownOnly for a key that sees only its own runs
 */
export async function runAnswers(pool: Pool, ownOnly: boolean): Promise<(run: Run) => Promise<RunAnswer>> {
  const names = new Map((await listKeys(pool)).map(({ id, name }) => [id, name]));
  return async (run) => {
    const { id, name, guard, fingerprint, state, reason, threshold, retain, ownerKey } = run;
    return {
      id,
      name,
      guard,
      fingerprint,
      state,
      reason,
      threshold,
      retain,
      createdAt: run.createdAt.toISOString(),
      finishedAt: run.finishedAt?.toISOString() ?? null,
      owner: ownerKey === null ? null : (names.get(ownerKey) ?? null),
      counters: countersOf(run, ownOnly),
      outcome: outcomeOf(run),
      progress: isOpen(state) ? progressFor(await progressOf(pool, run), run, ownOnly) : null,
    };
  };
}

/** A key that sees only its own runs must not learn which texts others have scored: cached ones count as scored. */
export function countersOf(run: RunCounts, ownOnly: boolean): RunAnswer['counters'] {
  const { rows, fresh, known, duplicates, rejected, truncated } = run;
  const told = ownOnly ? { fresh: fresh + known, known: 0 } : { fresh, known };
  return { rows, ...told, duplicates, rejected, truncated };
}

/** The same for the progress of a run: cached rows count as scored. */
export function progressFor(progress: Progress, { known }: RunCounts, ownOnly: boolean): Progress {
  if (!ownOnly) return progress;
  const { contents, contentsDone } = progress;
  return { ...progress, contents: contents + known, contentsDone: contentsDone + known };
}

function outcomeOf({ countedAt, final, scored, failed, left, flagged }: Run): RunAnswer['outcome'] {
  if (countedAt === null) return null;
  return { asOf: countedAt.toISOString(), final, scored, failed, left, flagged };
}

export type Progress = RunEvent['progress'];

interface Sample {
  at: number;
  contents: number;
  tokens: number;
}

/** Window of the rate, in milliseconds. */
const WINDOW_MS = 15_000;

/** The scoring rate of a run, from repeated samples. */
export class ProgressMeter {
  readonly #samples: Sample[] = [];

  /** @param since start of the run if nothing was scored yet, so that the first sample has a rate */
  constructor(since?: Date) {
    if (since !== undefined) this.#samples.push({ at: since.getTime(), contents: 0, tokens: 0 });
  }

  /** @param complete all rows have arrived, so that the remaining time can be estimated */
  look(progress: RunProgress, complete: boolean, at = Date.now()): Progress {
    const { contents, contentsDone, tokens, tokensDone } = progress;
    const samples = this.#samples;
    samples.push({ at, contents: contentsDone, tokens: tokensDone });
    while (samples.length > 2 && at - (samples[1]?.at ?? at) >= WINDOW_MS) samples.shift();
    const rate = rateOf(samples);
    const left = tokens - tokensDone;
    const known = complete && rate !== undefined && rate.tokens > 0;
    return {
      contents,
      contentsDone,
      tokens,
      tokensDone,
      contentsPerSecond: rate?.contents ?? null,
      tokensPerSecond: rate?.tokens ?? null,
      secondsLeft: left === 0 && complete ? 0 : known ? left / rate.tokens : null,
    };
  }
}

function rateOf(samples: readonly Sample[]): { contents: number; tokens: number } | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) return undefined;
  const seconds = (last.at - first.at) / 1000;
  return {
    // A retry resets scored contents.
    contents: Math.max(0, (last.contents - first.contents) / seconds),
    tokens: Math.max(0, (last.tokens - first.tokens) / seconds),
  };
}

/** A single sample, with the average rate since the start. */
async function progressOf(
  pool: Pool,
  { id, state, createdAt }: { id: number; state: string; createdAt: Date },
): Promise<Progress> {
  return new ProgressMeter(createdAt).look(await runProgress(pool, id), state !== 'submitting');
}

/**
 * A run that the caller may see.
 * @throws ApiError when it does not exist or belongs to another key: the two are indistinguishable
 */
export async function visibleRun(pool: Pool, request: FastifyRequest, runId: number): Promise<Run> {
  const run = await findRun(pool, runId);
  const owner = onlyOwner(whoOf(request));
  if (run !== undefined && (owner === undefined || run.ownerKey === owner)) return run;
  throw notFound(`run ${runId}`, 'List them with GET /api/runs');
}

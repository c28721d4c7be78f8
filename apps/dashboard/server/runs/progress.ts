import type { RunEvent } from '@tocsin/contract';
import type { Pool } from '@tocsin/postgres';
import { type RunProgress, runProgress } from '@tocsin/store';

export type Progress = RunEvent['progress'];

interface Sample {
  at: number;
  contents: number;
  tokens: number;
}

/** A rate is that of the last so many milliseconds. */
const WINDOW_MS = 15_000;

/** How fast a run is scored, from looks at it. */
export class ProgressMeter {
  readonly #samples: Sample[] = [];

  /** @param since when nothing was scored yet: a first look then has a rate, too */
  constructor(since?: Date) {
    if (since !== undefined) this.#samples.push({ at: since.getTime(), contents: 0, tokens: 0 });
  }

  /** @param complete all rows are there: what is left is all that is left */
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
    // A retry takes scored contents back.
    contents: Math.max(0, (last.contents - first.contents) / seconds),
    tokens: Math.max(0, (last.tokens - first.tokens) / seconds),
  };
}

/** One look at a run, with the rate since it began. */
export async function progressOf(
  pool: Pool,
  { id, state, createdAt }: { id: number; state: string; createdAt: Date },
): Promise<Progress> {
  return new ProgressMeter(createdAt).look(await runProgress(pool, id), state !== 'submitting');
}

import type { RunBatch } from './batcher.js';
import type { CostModel } from './cost-model.js';

/** Tokens a pass that are tried, in order. */
const BUDGETS = [256, 512, 1024, 2048, 4096];
/** Rows of this many tokens: short enough that attention costs next to nothing. */
const SHORT_ROW = 64;
/** A larger batch must be this much faster per token to be worth its memory and its wait. */
const WORTHWHILE_GAIN = 0.01;
/** Trying ends when it has taken this long: on a slow device the first answers have to do. */
const TIME_LIMIT_MS = 6_000;

/**
 * Measures what forward passes cost on this device, in a few seconds.
 * @param vocabSize token ids are drawn from 0 to vocabSize - 1
 * @param maxLength tokens of the longest row that the guard takes
 */
export async function calibrate(run: RunBatch, vocabSize: number, maxLength: number): Promise<CostModel> {
  const short = Math.min(SHORT_ROW, maxLength);
  const time = async (rows: number, length: number): Promise<number> => {
    const tokenIds = Int32Array.from({ length: rows * length }, (_, i) => (i * 7919) % vocabSize);
    return (await run(tokenIds, new Int32Array(rows).fill(length))).runMs;
  };
  await time(1, short); // the first pass of a session also sets up its threads and memory

  const started = performance.now();
  const measured: { tokens: number; ms: number }[] = [];
  for (const budget of BUDGETS) {
    const rows = Math.max(1, Math.floor(budget / short));
    measured.push({ tokens: rows * short, ms: await time(rows, short) });
    const [before, last] = measured.slice(-2);
    if (before !== undefined && last !== undefined && last.ms / last.tokens > before.ms / before.tokens)
      break;
    if (performance.now() - started > TIME_LIMIT_MS) break;
  }
  const chosen = fastest(measured);
  const { overheadMs, tokenMs } = fitLine(measured, chosen);
  const budgetTokens = Math.max(chosen.tokens, maxLength);

  const rows = Math.max(1, Math.floor(chosen.tokens / maxLength));
  const extraMs = (await time(rows, maxLength)) - overheadMs - tokenMs * rows * maxLength;
  return { budgetTokens, overheadMs, tokenMs, cellMs: Math.max(0, extraMs / (rows * maxLength * maxLength)) };
}

/** The smallest batch that is within WORTHWHILE_GAIN of the fastest per token. */
function fastest(measured: { tokens: number; ms: number }[]): { tokens: number; ms: number } {
  const best = Math.min(...measured.map(({ tokens, ms }) => ms / tokens));
  const chosen = measured.find(({ tokens, ms }) => ms / tokens <= best * (1 + WORTHWHILE_GAIN));
  if (chosen === undefined) throw new Error('calibration measured nothing');
  return chosen;
}

/** overhead + tokenMs x tokens through the smallest batch and the chosen one. */
function fitLine(
  measured: { tokens: number; ms: number }[],
  chosen: { tokens: number; ms: number },
): { overheadMs: number; tokenMs: number } {
  const smallest = measured[0];
  if (smallest === undefined || smallest.tokens === chosen.tokens) {
    return { overheadMs: 0, tokenMs: chosen.ms / chosen.tokens };
  }
  const slope = (chosen.ms - smallest.ms) / (chosen.tokens - smallest.tokens);
  const tokenMs = Math.max(slope, 0);
  return { overheadMs: Math.max(0, smallest.ms - tokenMs * smallest.tokens), tokenMs };
}

import type { DeviceKind } from '@tocsin/backbone';
import { OutOfMemoryError } from './out-of-memory.js';
import type { CostModel } from './plan-batches.js';

/** A timed forward pass; returns milliseconds. */
export type TimePass = (tokenIds: Int32Array, lengths: Int32Array) => Promise<{ runMs: number }>;

/** Tokens per pass to try, in order. GPUs need more to be filled. */
const CPU_BUDGETS = [256, 512, 1024, 2048, 4096];
const GPU_BUDGETS = [...CPU_BUDGETS, 8192, 16_384, 32_768];

export const budgetsOf = (device: DeviceKind): readonly number[] =>
  device === 'cpu' ? CPU_BUDGETS : GPU_BUDGETS;

/** Tokens per row: short enough that attention costs almost nothing. */
const SHORT_ROW = 64;
/** Speed-up per token that justifies a larger batch's memory and latency. */
const WORTHWHILE_GAIN = 0.01;
/** Total milliseconds of passes; on a slow device only the first measurements are made. */
const TIME_LIMIT_MS = 6_000;
/** Maximum milliseconds of the long row that measures attention. */
const LONG_ROW_MS = 1_000;

/** A pass of short rows. */
interface Timed {
  tokens: number;
  ms: number;
}

/**
 * Measures the cost of forward passes on this device, in a few seconds.
 * @param vocabSize token ids are drawn from 0 to vocabSize - 1
 * @param maxLength the guard's maximum tokens per row
 * @param budgets   tokens per pass to try, ascending; those that do not fit into memory are skipped
 */
export async function calibrate(
  run: TimePass,
  vocabSize: number,
  maxLength: number,
  budgets: readonly number[] = CPU_BUDGETS,
): Promise<CostModel> {
  let spentMs = 0;
  const pass = async (rows: number, length: number): Promise<number> => {
    const tokenIds = Int32Array.from({ length: rows * length }, (_, i) => (i * 7919) % vocabSize);
    const { runMs } = await run(tokenIds, new Int32Array(rows).fill(length));
    spentMs += runMs;
    return runMs;
  };
  // Twice, and the smaller counts: what else the machine does makes a pass slower, never faster.
  const time = async (rows: number, length: number): Promise<number> => {
    const ms = await pass(rows, length);
    return spentMs + ms > TIME_LIMIT_MS ? ms : Math.min(ms, await pass(rows, length));
  };
  const short = Math.min(SHORT_ROW, maxLength);
  const timeRows = async (rows: number): Promise<Timed> => ({
    tokens: rows * short,
    ms: await time(rows, short),
  });

  await pass(1, short); // the first pass of a session also sets up its threads and memory
  const single = await timeRows(1);
  const measured: Timed[] = [];
  for (const budget of budgets) {
    const rows = Math.floor(budget / short);
    const before = measured.at(-1);
    if (before !== undefined && spentMs + perToken(before) * rows * short > TIME_LIMIT_MS) break;
    const last = await unlessOutOfMemory(() => timeRows(rows));
    if (last === undefined) {
      if (before === undefined) throw new OutOfMemoryError(`a pass of ${rows * short} tokens does not fit`);
      break;
    }
    measured.push(last);
    if (before !== undefined && perToken(last) > perToken(before) * (1 + WORTHWHILE_GAIN)) break;
  }
  const chosen = fastest(measured);
  const line = lineThrough(single, chosen);

  const long = Math.min(maxLength, Math.max(short, Math.floor(LONG_ROW_MS / line.tokenMs)));
  // Attention may need memory for every pair of tokens, so fewer long rows may fit than short ones.
  let rows = Math.max(1, Math.floor(chosen.tokens / long));
  let longMs = long === short ? undefined : await unlessOutOfMemory(() => time(rows, long));
  while (long !== short && longMs === undefined && rows > 1) {
    rows = Math.floor(rows / 2);
    longMs = await unlessOutOfMemory(() => time(rows, long));
  }
  const extraMs = longMs === undefined ? 0 : longMs - line.overheadMs - line.tokenMs * rows * long;
  // Subtract the short rows' attention from the cost per token.
  const measuredCell = long === short ? 0 : Math.max(0, extraMs / (rows * long * (long - short)));
  // On a busy machine the long row can overstate attention to the point that short rows cost nothing else.
  const cellMs = Math.min(measuredCell, line.tokenMs / (2 * short));
  return {
    budgetTokens: Math.max(chosen.tokens, maxLength),
    overheadMs: line.overheadMs,
    tokenMs: line.tokenMs - cellMs * short,
    cellMs,
  };
}

async function unlessOutOfMemory<T>(measure: () => Promise<T>): Promise<T | undefined> {
  try {
    return await measure();
  } catch (error) {
    if (error instanceof OutOfMemoryError) return undefined;
    throw error;
  }
}

const perToken = ({ tokens, ms }: Timed): number => ms / tokens;

/** The smallest batch that is within WORTHWHILE_GAIN of the fastest per token. */
function fastest(measured: Timed[]): Timed {
  const best = Math.min(...measured.map(perToken));
  const chosen = measured.find((timed) => perToken(timed) <= best * (1 + WORTHWHILE_GAIN));
  if (chosen === undefined) throw new Error('calibration measured nothing');
  return chosen;
}

/** overheadMs + tokenMs x tokens, through a single row and the chosen batch. */
function lineThrough(single: Timed, chosen: Timed): { overheadMs: number; tokenMs: number } {
  const slope = (chosen.ms - single.ms) / (chosen.tokens - single.tokens);
  // A single row as slow as a batch was disturbed by other load: then count everything per token.
  const tokenMs = slope > 0 ? slope : perToken(chosen);
  return { overheadMs: Math.max(0, single.ms - tokenMs * single.tokens), tokenMs };
}

/** The measured cost of a forward pass on a device. */
export interface CostModel {
  /** Tokens of a batch at which the device is fastest per token. */
  budgetTokens: number;
  /** Milliseconds of a pass before its first token. */
  overheadMs: number;
  /** Milliseconds per token. */
  tokenMs: number;
  /** Milliseconds per attention cell: a batch has rows x longest x longest, with padding. */
  cellMs: number;
}

/**
 * The default for an uncalibrated device; only the proportions matter. (A CPU with 2 cores, 135M parameters: 20 ms per
 * pass, 1 ms per token, 0.5 us per cell.)
 */
export const UNMEASURED: CostModel = { budgetTokens: 1024, overheadMs: 20, tokenMs: 1, cellMs: 0.0005 };

/**
 * Minimum overhead of a pass in tokens, since it reads the weights, whatever was measured on a busy machine. Otherwise
 * rows would run one by one.
 */
const MIN_OVERHEAD_TOKENS = 8;

/** Milliseconds that a batch takes. */
export function costOf(model: CostModel, rows: number, tokens: number, longest: number): number {
  const overheadMs = Math.max(model.overheadMs, MIN_OVERHEAD_TOKENS * model.tokenMs);
  return overheadMs + model.tokenMs * tokens + model.cellMs * rows * longest * longest;
}

/**
 * Cuts rows into batches of least total cost, exactly, by dynamic programming over the rows sorted by length.
 * A batch holds at most `budgetTokens` tokens; a row longer than that is a batch of its own.
 *
 * @param lengths tokens of each row
 * @returns batches of indices into `lengths`, shortest rows first; every index once
 */
export function planBatches(lengths: readonly number[], model: CostModel): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => lengthAt(lengths, a) - lengthAt(lengths, b) || a - b);
  const sorted = order.map((i) => lengthAt(lengths, i));
  const starts = cheapestStarts(sorted, model);

  const batches: number[][] = [];
  for (let end = sorted.length; end > 0; ) {
    const start = lengthAt(starts, end);
    batches.push(order.slice(start, end));
    end = start;
  }
  return batches.reverse();
}

/** For each prefix of the sorted rows, the start of the last batch of its cheapest cut. */
function cheapestStarts(sorted: readonly number[], model: CostModel): number[] {
  const best = [0];
  const starts = [0];
  for (let end = 1; end <= sorted.length; end++) {
    const longest = lengthAt(sorted, end - 1);
    let cost = Number.POSITIVE_INFINITY;
    let from = end - 1;
    let tokens = 0;
    for (let start = end - 1; start >= 0; start--) {
      tokens += lengthAt(sorted, start);
      if (tokens > model.budgetTokens && start < end - 1) break;
      const candidate = lengthAt(best, start) + costOf(model, end - start, tokens, longest);
      if (candidate < cost) {
        cost = candidate;
        from = start;
      }
    }
    best.push(cost);
    starts.push(from);
  }
  return starts;
}

function lengthAt(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`no row ${index} among ${values.length}`);
  return value;
}

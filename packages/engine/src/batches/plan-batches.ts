import { type CostModel, costOf } from './cost-model.js';

/**
 * Cuts rows into the batches that cost least in all: an exact cut by dynamic programming over the rows sorted by
 * length. A batch holds at most `budgetTokens` tokens; a row longer than that is a batch of its own.
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

/** For each prefix of the sorted rows, where the last batch of its cheapest cut begins. */
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

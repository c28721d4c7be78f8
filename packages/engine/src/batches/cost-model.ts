/** What a forward pass costs on one device, as calibration measured it. */
export interface CostModel {
  /** Tokens of a batch at which the device is fastest per token. */
  budgetTokens: number;
  /** Milliseconds of a pass before its first token. */
  overheadMs: number;
  /** Milliseconds a token. */
  tokenMs: number;
  /** Milliseconds a cell of the attention: a batch has rows x longest x longest of them, padding included. */
  cellMs: number;
}

/**
 * What a CPU comes to, where nobody has measured: only the proportions matter to a plan. (2 cores, 135M parameters:
 * 20 ms a pass, 1 ms a token, 0.5 us a cell.)
 */
export const UNMEASURED: CostModel = { budgetTokens: 1024, overheadMs: 20, tokenMs: 1, cellMs: 0.0005 };

/**
 * A pass is never free, whatever was measured on a busy machine: it reads the weights, which is worth so many tokens
 * at least. Rows that wait would otherwise be run one by one.
 */
const MIN_OVERHEAD_TOKENS = 8;

/** Milliseconds that a batch takes. */
export function costOf(model: CostModel, rows: number, tokens: number, longest: number): number {
  const overheadMs = Math.max(model.overheadMs, MIN_OVERHEAD_TOKENS * model.tokenMs);
  return overheadMs + model.tokenMs * tokens + model.cellMs * rows * longest * longest;
}

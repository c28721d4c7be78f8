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

/** Milliseconds that a batch takes. */
export function costOf(model: CostModel, rows: number, tokens: number, longest: number): number {
  return model.overheadMs + model.tokenMs * tokens + model.cellMs * rows * longest * longest;
}

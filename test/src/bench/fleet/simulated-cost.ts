import type { CostModel } from '@tocsin/engine';

/** The environment variable that tells a simulated engine its cost model. */
export const SIMULATED_COST = 'TOCSIN_SIMULATED_COST';

/**
 * Milliseconds of a forward pass = overheadMs + tokenMs x tokens + cellMs x rows x longest^2, as Tocsin's planner has it.
 */
export const COSTS = {
  /** Answers at once: what is left is the pipeline. */
  none: { budgetTokens: 4096, overheadMs: 0, tokenMs: 0, cellMs: 0 },
  /** The starter guard on two cores of a CPU, about as calibration measures it. */
  cpu: { budgetTokens: 1024, overheadMs: 20, tokenMs: 1, cellMs: 0.0005 },
  /** A hundred times as fast: a small accelerator, and fast enough that eight of them come near the pipeline. */
  fast: { budgetTokens: 4096, overheadMs: 4, tokenMs: 0.08, cellMs: 0.000005 },
} as const satisfies Record<string, CostModel>;

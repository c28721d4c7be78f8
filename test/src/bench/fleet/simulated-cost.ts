import type { CostModel } from '@tocsin/engine';

/** The environment variable with a simulated engine's cost model. */
export const SIMULATED_COST = 'TOCSIN_SIMULATED_COST';

/**
 * Simulated devices. Milliseconds of a forward pass = overheadMs + tokenMs x tokens + cellMs x rows x longest^2, as in
 * Tocsin's planner.
 */
export const COSTS = {
  /** Measures the pipeline alone. Not zero, or the planner could not compare batches. */
  none: {
    device: 'one that answers at once',
    cost: { budgetTokens: 4096, overheadMs: 1e-3, tokenMs: 1e-6, cellMs: 1e-12 },
  },
  /** Eight of them stay below what the pipeline of one machine can feed. */
  small: {
    device: 'about 25 times the two processor cores of the README',
    cost: { budgetTokens: 4096, overheadMs: 2, tokenMs: 0.04, cellMs: 5e-6 },
  },
  large: {
    device: 'about 250 times the two processor cores of the README',
    cost: { budgetTokens: 8192, overheadMs: 2, tokenMs: 0.004, cellMs: 5e-7 },
  },
} as const satisfies Record<string, { device: string; cost: CostModel }>;

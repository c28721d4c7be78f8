/**
 * Platt scaling: P(harmful) = sigmoid(slope * logit + offset). Fitted as in Lin, Lin and Weng, "A note on Platt's
 * probabilistic outputs for support vector machines" (2007): Newton's method with backtracking on smoothed targets.
 */
export interface Platt {
  slope: number;
  offset: number;
}

/** The float32 below 1 has this logit, so a score of 0 or 1 is taken as a logit of this size. */
const LARGEST_LOGIT = Math.log(2 ** 24 - 1);

/** The logit of a score, at most 16.6 in size: float32 has no score nearer to 1. */
export function logitOf(score: number): number {
  const logit = Math.log(score) - Math.log1p(-score);
  return Math.min(Math.max(logit, -LARGEST_LOGIT), LARGEST_LOGIT);
}

export function sigmoid(logit: number): number {
  if (logit >= 0) return 1 / (1 + Math.exp(-logit));
  const odds = Math.exp(logit);
  return odds / (1 + odds);
}

/** Whether a score is so near to 0 or 1 that its logit is cut. */
export const isSaturated = (score: number): boolean => Math.abs(logitOf(score)) === LARGEST_LOGIT;

/** The calibrated score of a score, or of a threshold: monotone while the slope is positive. */
export function calibrated(score: number, { slope, offset }: Platt): number {
  return sigmoid(slope * logitOf(score) + offset);
}

const MOST_STEPS = 100;
const SMALLEST_STEP = 1e-10;
/** On the gradient of the mean loss. */
const CONVERGED = 1e-10;
/** Keeps the Hessian invertible when all logits are equal. */
const RIDGE = 1e-12;
/** Share of the predicted decrease that a step must reach (Armijo). */
const ENOUGH = 1e-4;

/**
 * Fits slope and offset. Targets are Platt's, (n1 + 1) / (n1 + 2) and 1 / (n0 + 2), so perfectly separated classes also
 * have a finite optimum.
 * @param logits one per row
 * @param labels 1 harmful, 0 safe; one per row
 * @throws RangeError when a class has no row
 */
export function fitPlatt(logits: ArrayLike<number>, labels: ArrayLike<number>): Platt {
  const rows = logits.length;
  let harmful = 0;
  for (let row = 0; row < rows; row++) harmful += labels[row] ?? 0;
  const safe = rows - harmful;
  if (harmful === 0 || safe === 0) throw new RangeError(`${harmful} harmful and ${safe} safe rows`);
  const targets = Float64Array.from(labels, (label) =>
    label === 1 ? (harmful + 1) / (harmful + 2) : 1 / (safe + 2),
  );
  let fit: Platt = { slope: 0, offset: Math.log((harmful + 1) / (safe + 1)) };
  let loss = lossOf(logits, targets, fit);
  for (let iteration = 0; iteration < MOST_STEPS; iteration++) {
    const { gradient, step, decrease } = newtonStep(logits, targets, fit);
    if (gradient < CONVERGED) break;
    const next = lineSearch(logits, targets, fit, { step, decrease, loss });
    if (next === undefined) break;
    ({ fit, loss } = next);
  }
  return fit;
}

/** Mean cross-entropy. */
function lossOf(logits: ArrayLike<number>, targets: Float64Array, { slope, offset }: Platt): number {
  let sum = 0;
  for (const [row, target] of targets.entries()) {
    const z = slope * (logits[row] ?? 0) + offset;
    sum += Math.max(z, 0) - target * z + Math.log1p(Math.exp(-Math.abs(z)));
  }
  return sum / targets.length;
}

/** `gradient` is the largest of its components, `decrease` the slope of the loss along the step (negative). */
function newtonStep(
  logits: ArrayLike<number>,
  targets: Float64Array,
  { slope, offset }: Platt,
): { gradient: number; step: Platt; decrease: number } {
  let [g1, g0, h11, h10, h00] = [0, 0, RIDGE, 0, RIDGE];
  const share = 1 / targets.length;
  for (const [row, target] of targets.entries()) {
    const x = logits[row] ?? 0;
    const p = sigmoid(slope * x + offset);
    const error = (p - target) * share;
    const weight = p * (1 - p) * share;
    g1 += error * x;
    g0 += error;
    h11 += weight * x * x;
    h10 += weight * x;
    h00 += weight;
  }
  const determinant = h11 * h00 - h10 * h10;
  const step = {
    slope: -(h00 * g1 - h10 * g0) / determinant,
    offset: -(h11 * g0 - h10 * g1) / determinant,
  };
  return {
    gradient: Math.max(Math.abs(g1), Math.abs(g0)),
    step,
    decrease: g1 * step.slope + g0 * step.offset,
  };
}

/** Halves the step until the loss falls enough. Undefined when rounding leaves nothing to gain. */
function lineSearch(
  logits: ArrayLike<number>,
  targets: Float64Array,
  { slope, offset }: Platt,
  { step, decrease, loss }: { step: Platt; decrease: number; loss: number },
): { fit: Platt; loss: number } | undefined {
  for (let size = 1; size >= SMALLEST_STEP; size /= 2) {
    const fit = { slope: slope + size * step.slope, offset: offset + size * step.offset };
    const next = lossOf(logits, targets, fit);
    if (next < loss + ENOUGH * size * decrease) return { fit, loss: next };
  }
  return undefined;
}

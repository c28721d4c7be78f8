/** How the neurons of one block's MLP are prepared for 8 bits: see `planNeurons`. */
export interface NeuronPlan {
  /** Neurons computed in float32, ascending. */
  outliers: number[];
  /** The other neurons' activations are divided by these factors: [neurons]. */
  smoothing: Float32Array;
}

/** Neurons of a block computed in float32. Spikes of one or two neurons at a row's first token would use up the 8 bits of all others. */
const OUTLIERS = 16;
/** How much of the difference between neurons moves from the activations to the weights (SmoothQuant, arXiv 2211.10438). */
const ALPHA = 0.6;
/** Steps of the factors from one power of two to the next. */
const STEPS = 4;
/** Neurons that were never active are not scaled by more than this. */
const LEAST = 1e-5;

/** How many neurons of a block are outliers. */
export const outlierCount = (neurons: number): number => Math.min(OUTLIERS, neurons >> 2);

/**
 * Chooses a block's outlier neurons and smoothing. The factors are on a coarse grid, so that they do not depend on the
 * last bits of what a machine measured.
 * @param peaks       largest |activation| of each neuron over the calibration texts: [neurons]
 * @param largestDown largest |weight| of each neuron's output: [neurons]
 */
export function planNeurons(peaks: Float32Array, largestDown: Float32Array): NeuronPlan {
  const order = Array.from(peaks.keys()).sort((a, b) => (peaks[b] ?? 0) - (peaks[a] ?? 0) || a - b);
  const outliers = order.slice(0, outlierCount(peaks.length)).sort((a, b) => a - b);
  const smoothing = peaks.map((peak, neuron) => {
    const factor = Math.max(peak, LEAST) ** ALPHA / Math.max(largestDown[neuron] ?? 0, LEAST) ** (1 - ALPHA);
    return 2 ** (Math.round(STEPS * Math.log2(factor)) / STEPS);
  });
  return { outliers, smoothing };
}

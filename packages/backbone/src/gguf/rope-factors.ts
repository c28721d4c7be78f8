import { ropeFrequencies } from '../graph/rope.js';

/** What the Llama 3.1, 3.2 and 3.3 releases state in their config.json; only `factor` differs between them. */
const LLAMA3 = { lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 };
/** float32 noise of a converter's own arithmetic is 1e-6; other parameters give other numbers in the first digits. */
const TOLERANCE = 1e-5;

/**
 * The `rope_scaling` of config.json that a Llama 3 file's `rope_freqs.weight` was computed from. The file holds only the
 * result, so the released parameters are tried and must give every number again.
 * @param factors what each rotary frequency is divided by, [headDim / 2]
 * @returns undefined when the numbers are not those of Llama 3
 */
export function llama3RopeScaling(
  factors: Float32Array,
  theta: number,
  headDim: number,
): Record<string, unknown> | undefined {
  if (factors.length !== headDim / 2) return undefined;
  const factor = factors.reduce((most, value) => Math.max(most, value), 0);
  const plain = ropeFrequencies({ theta, scaling: undefined }, headDim);
  const scaled = ropeFrequencies({ theta, scaling: { factor, ...LLAMA3 } }, headDim);
  const same = factors.every((value, i) => {
    const expected = (plain[i] ?? 0) / (scaled[i] ?? 0);
    return Math.abs(value - expected) <= TOLERANCE * expected;
  });
  if (!same) return undefined;
  return {
    rope_type: 'llama3',
    factor,
    low_freq_factor: LLAMA3.lowFreqFactor,
    high_freq_factor: LLAMA3.highFreqFactor,
    original_max_position_embeddings: LLAMA3.originalMaxPositions,
  };
}

import type { OpenGuard } from '@tocsin/engine';
import { lastLayerOf } from '@tocsin/siren';

/**
 * Floating-point operations that a content of `tokens` tokens needs: linear layers and causal attention of the blocks
 * that are read. Padding, norms, rotation and the head are not counted.
 */
export function usefulFlops(guard: OpenGuard, tokens: number): number {
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim } = guard.compiled.config;
  const attentionWeights = hiddenSize * headDim * (2 * numHeads + 2 * numKvHeads);
  const mlpWeights = 3 * hiddenSize * intermediateSize;
  const linear = 2 * tokens * (attentionWeights + mlpWeights);
  const attended = (tokens * (tokens + 1)) / 2;
  const attention = 2 * 2 * attended * numHeads * headDim;
  return (lastLayerOf(guard.artifact) + 1) * (linear + attention);
}

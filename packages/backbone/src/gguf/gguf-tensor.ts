import type { CheckpointTensor } from '../checkpoint/checkpoint.js';
import type { TensorType } from './tensor-type.js';

/** A tensor's place in a GGUF file. `name` is Hugging Face's, `shape` is [outputs, inputs]. */
export interface GgufTensor extends CheckpointTensor {
  dtype: TensorType;
  /** What the file calls it, e.g. `blk.0.attn_q.weight`. */
  ggufName: string;
  /** Heads whose rows the file has in ggml's order; `readGgufTensor` puts them in Hugging Face's. */
  interleavedHeads: number | undefined;
}

import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import type { Graph, Value } from '../onnx/graph.js';
import type { Casts } from './casts.js';

/** onnxruntime's rotating kernels (GroupQueryAttention, RotaryEmbedding) take heads of multiples of this size only. */
const KERNEL_MULTIPLE = 16;

/** The size that a head has for those kernels. */
const paddedHeadDim = ({ headDim }: BackboneConfig): number =>
  Math.ceil(headDim / KERNEL_MULTIPLE) * KERNEL_MULTIPLE;

/**
 * Lays heads out for the kernels and back. The rotation turns the first half of a head against the second, so each half
 * is filled up with zeros by itself. Zeros add nothing to a product, and the scale stays that of the true size.
 */
export class HeadPadding {
  readonly #graph: Graph;
  readonly #casts: Casts;
  readonly #half: number;
  /** The size that heads have once they are padded. */
  readonly headDim: number;

  constructor(graph: Graph, casts: Casts, config: BackboneConfig) {
    this.#graph = graph;
    this.#casts = casts;
    this.#half = config.headDim / 2;
    this.headDim = paddedHeadDim(config);
  }

  get #isNeeded(): boolean {
    return this.headDim !== 2 * this.#half;
  }

  /** [tokens, heads * true size] to [tokens, heads * padded size], in the type that is computed in. */
  pad(value: Value, heads: number): Value {
    if (!this.#isNeeded) return value;
    const halves = this.#graph.op('Reshape', [
      // CUDA pads no bfloat16.
      this.#casts.widen(value),
      this.#graph.shape([-1, 2 * heads, this.#half]),
    ]);
    const missing = this.headDim / 2 - this.#half;
    const padded = this.#graph.op('Pad', [halves, this.#graph.shape([0, 0, 0, 0, 0, missing])]);
    return this.#casts.narrow(
      this.#graph.op('Reshape', [padded, this.#graph.shape([-1, heads * this.headDim])]),
    );
  }

  /** The way back. */
  unpad(value: Value, heads: number): Value {
    if (!this.#isNeeded) return value;
    const halves = this.#graph.op('Reshape', [value, this.#graph.shape([-1, 2 * heads, this.headDim / 2])]);
    const own = this.#graph.shape(Array.from({ length: this.#half }, (_, i) => i));
    const kept = this.#graph.op('Gather', [halves, own], { axis: { int: 2 } });
    return this.#graph.op('Reshape', [kept, this.#graph.shape([-1, heads * 2 * this.#half])]);
  }
}

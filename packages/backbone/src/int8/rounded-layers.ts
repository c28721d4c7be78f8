import type { Graph, Value } from '../onnx/graph.js';
import { DataType } from '../onnx/proto.js';
import { hadamard } from './rotation.js';

/**
 * How the inputs of a layer are rounded to 8 bits. `fixed`: with one scale, for inputs that come out of a norm without
 * weights and are rotated: every token's values have mean square 1. `token`: with a scale for each token.
 */
export type Rounding = 'fixed' | 'token';

/** A linear layer's weight with 8 bits and a scale for each output, as values of a graph. */
export interface RoundedWeight {
  rounding: Rounding;
  /** Inputs that are rotated together before they are rounded, by `hadamard`; 1 for none. */
  group: number;
  /** int8 [inputs, outputs], as stored. */
  codes: Value;
  /** float32 [outputs] */
  scales: Value;
}

/** Inputs beyond this many standard deviations are clipped, when the scale is fixed. */
const CLIP = 4;
const HIGHEST = 127;
/** Keeps the scale of a token of zeros from being zero. */
const LEAST_SCALE = 1e-20;

/** Rounded inputs: value = scale * tokenScale * (code - 128). */
interface RoundedInput {
  /** uint8 [tokens, inputs] */
  codes: Value;
  /** float32 [] */
  scale: Value;
  /** float32 [tokens, 1] */
  tokenScale: Value | undefined;
}

/**
 * Linear layers in 8-bit integers. Sums of products are exact, and each token has its own scale or a fixed one, so a
 * token's result does not depend on what else is in the batch.
 */
export class RoundedLayers {
  readonly #graph: Graph;
  readonly #isUnsigned: boolean;
  readonly #inputs = new Map<string, RoundedInput>();
  readonly #constants = new Set<Value>();

  /**
   * @param isUnsigned weights are turned into unsigned integers, for a CPU whose kernel for signed ones saturates (AVX2
   *   without VNNI). The sums are the same.
   */
  constructor(graph: Graph, isUnsigned: boolean) {
    this.#graph = graph;
    this.#isUnsigned = isUnsigned;
  }

  /** The type that stored codes are declared as. */
  get codeType(): DataType {
    return this.#isUnsigned ? DataType.UINT8 : DataType.INT8;
  }

  /** A constant of the graph, made at its first use: onnxruntime warns of an unused one. */
  #constant(name: string, data: Float32Array | Uint8Array | Int8Array, shape: readonly number[] = []): Value {
    if (!this.#constants.has(name)) this.#constants.add(this.#graph.constant(name, shape, data));
    return name;
  }

  /** The code of zero among inputs, and among unsigned weights. */
  get #middle(): Value {
    return this.#constant('int8_middle', Uint8Array.of(128));
  }

  /** float32 [tokens, inputs] to [tokens, outputs]. */
  multiply(value: Value, weight: RoundedWeight): Value {
    const { codes, scale, tokenScale } = this.#rounded(value, weight);
    // Adding 128 to a signed byte turns its highest bit over. onnxruntime does so once, when it loads the model.
    const weights = this.#isUnsigned
      ? this.#graph.op('BitwiseXor', [weight.codes, this.#middle])
      : weight.codes;
    const zero = this.#isUnsigned ? this.#middle : this.#constant('int8_zero', Int8Array.of(0));
    const [product = ''] = this.#graph.contrib(
      'MatMulIntegerToFloat',
      [codes, weights, scale, weight.scales, this.#middle, zero],
      {},
    );
    return tokenScale === undefined ? product : this.#graph.op('Mul', [product, tokenScale]);
  }

  #rounded(value: Value, { rounding, group }: RoundedWeight): RoundedInput {
    const key = `${rounding} ${group} ${value}`;
    let input = this.#inputs.get(key);
    if (input === undefined) {
      const rotated = group === 1 ? value : this.#rotated(value, group);
      input = rounding === 'fixed' ? this.#fixed(rotated) : this.#perToken(rotated);
      this.#inputs.set(key, input);
    }
    return input;
  }

  #rotated(value: Value, group: number): Value {
    const graph = this.#graph;
    const mixing = this.#constant(`int8_hadamard_${group}`, hadamard(group), [group, group]);
    const pieces = graph.op('Reshape', [value, graph.shape([-1, group])]);
    return graph.op('Reshape', [graph.op('MatMul', [pieces, mixing]), graph.op('Shape', [value])]);
  }

  #fixed(value: Value): RoundedInput {
    const scale = this.#constant('int8_fixed_scale', Float32Array.of(CLIP / HIGHEST));
    const codes = this.#graph.op('QuantizeLinear', [value, scale, this.#middle]);
    return { codes, scale, tokenScale: undefined };
  }

  #perToken(value: Value): RoundedInput {
    const graph = this.#graph;
    const peak = graph.op('ReduceMax', [graph.op('Abs', [value]), graph.shape([1])]);
    const inverse = this.#constant('int8_inverse', Float32Array.of(1 / HIGHEST));
    const least = this.#constant('int8_least_scale', Float32Array.of(LEAST_SCALE));
    const tokenScale = graph.op('Max', [graph.op('Mul', [peak, inverse]), least]);
    const scales = graph.op('Reshape', [tokenScale, graph.shape([-1])]);
    const middles = graph.op('Expand', [this.#middle, graph.op('Shape', [scales])]);
    const codes = graph.op('QuantizeLinear', [value, scales, middles], { axis: { int: 0 } });
    return { codes, scale: this.#constant('int8_one', Float32Array.of(1)), tokenScale };
  }
}

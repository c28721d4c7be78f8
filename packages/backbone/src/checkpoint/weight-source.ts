import { Casts } from '../graph/casts.js';
import type { Graph, Value } from '../onnx/graph.js';
import { DataType } from '../onnx/proto.js';
import { FLOAT32_ON_CPU, type Numerics } from '../precision.js';
import type { BlockFormat } from '../quantize.js';

/** A tensor in the compiled guard's directory. */
export interface PlacedTensor {
  dtype: string;
  shape: readonly number[];
  /** File name in the model's directory. */
  location: string;
  offset: number;
  byteLength: number;
}

/** A linear layer's weight as blocks of integers (see quantizeRows), in the compiled guard's directory. */
export interface QuantizedTensor {
  format: BlockFormat;
  /** [outputs, inputs] */
  shape: readonly [number, number];
  codes: PlacedTensor;
  scales: PlacedTensor;
  zeroPoints: PlacedTensor | undefined;
}

/** True for a weight stored as integers. */
export const isQuantized = (tensor: PlacedTensor | QuantizedTensor): tensor is QuantizedTensor =>
  'codes' in tensor;

/** By checkpoint name. */
export type PlacedWeights = ReadonlyMap<string, PlacedTensor | QuantizedTensor>;

/** A quantized weight as values of a graph. */
export interface QuantizedWeight {
  format: BlockFormat;
  outputs: number;
  inputs: number;
  codes: Value;
  /** In the compute type. */
  scales: Value;
  /** '' when the middle code is zero. */
  zeroPoints: Value;
}

const DATA_TYPES: Record<string, DataType> = {
  F32: DataType.FLOAT,
  F16: DataType.FLOAT16,
  BF16: DataType.BFLOAT16,
  U8: DataType.UINT8,
};

/**
 * Gives a graph the placed tensors, referenced in place and cast on use. onnxruntime folds these casts when it loads
 * the model.
 */
export class WeightSource {
  readonly casts: Casts;
  readonly numerics: Numerics;
  readonly #graph: Graph;
  readonly #tensors: PlacedWeights;

  constructor(graph: Graph, tensors: PlacedWeights, numerics: Numerics = FLOAT32_ON_CPU) {
    this.#graph = graph;
    this.#tensors = tensors;
    this.numerics = numerics;
    this.casts = new Casts(graph, numerics.arithmetic);
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** A norm's weight, as float32. */
  float32(name: string): Value {
    return this.cast(this.stored(name), name);
  }

  /** A linear layer's weight in the compute type. */
  narrow(name: string): Value {
    const tensor = this.#tensor(name);
    return this.casts.stored(this.#external(name, tensor), dataTypeOf(tensor));
  }

  /** A weight in its stored type, for tables of which only some rows are used. */
  stored(name: string): Value {
    return this.#external(name, this.#tensor(name));
  }

  /** `value`, which has the stored type of tensor `name`, as float32. */
  cast(value: Value, name: string): Value {
    if (dataTypeOf(this.#tensor(name)) === DataType.FLOAT) return value;
    return this.#graph.op('Cast', [value], { to: { int: DataType.FLOAT } });
  }

  /** A linear layer's weight as blocks of integers; undefined when it is stored as floats. */
  quantized(name: string): QuantizedWeight | undefined {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined || !isQuantized(tensor)) return undefined;
    const { format, shape, codes, scales, zeroPoints } = tensor;
    const scale = this.#external(`${name}.scales`, scales);
    return {
      format,
      outputs: shape[0],
      inputs: shape[1],
      codes: this.#external(`${name}.codes`, codes),
      scales: this.casts.stored(scale, dataTypeOf(scales)),
      zeroPoints: zeroPoints === undefined ? '' : this.#zeroPoints(`${name}.zero_points`, zeroPoints),
    };
  }

  /** Codes stay unchanged; floats are cast to the compute type. */
  #zeroPoints(name: string, tensor: PlacedTensor): Value {
    const value = this.#external(name, tensor);
    return tensor.dtype === 'U8' ? value : this.casts.stored(value, dataTypeOf(tensor));
  }

  #external(name: string, tensor: PlacedTensor): Value {
    return this.#graph.external(name, { ...tensor, dataType: dataTypeOf(tensor) });
  }

  #tensor(name: string): PlacedTensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new Error(`the graph reads ${name}, which planTensors() did not plan`);
    if (isQuantized(tensor)) throw new Error(`the graph reads ${name} as floats, and it is held as integers`);
    return tensor;
  }
}

function dataTypeOf(tensor: PlacedTensor): DataType {
  const dataType = DATA_TYPES[tensor.dtype];
  if (dataType === undefined) throw new Error(`no ONNX type for ${tensor.dtype}`);
  return dataType;
}

import { Casts } from '../graph/casts.js';
import { RoundedLayers, type RoundedWeight, type Rounding } from '../int8/rounded-layers.js';
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

/** A linear layer's weight for 8-bit arithmetic (see storeInt8), in the compiled guard's directory. */
export interface RoundedTensor {
  rounding: Rounding;
  /** See `RoundedWeight`. */
  group: number;
  /** int8 [inputs, outputs] */
  codes: PlacedTensor;
  /** float32 [outputs] */
  scales: PlacedTensor;
}

export type PlacedWeight = PlacedTensor | QuantizedTensor | RoundedTensor;

/** True for a weight stored as blocks of integers. */
export const isQuantized = (tensor: PlacedWeight): tensor is QuantizedTensor => 'format' in tensor;
/** True for a weight for 8-bit arithmetic. */
const isRounded = (tensor: PlacedWeight): tensor is RoundedTensor => 'rounding' in tensor;

/** By checkpoint name. */
export type PlacedWeights = ReadonlyMap<string, PlacedWeight>;

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
  /** True if the residual stream is rotated: see `storeInt8`. */
  readonly isRotated: boolean;
  readonly #graph: Graph;
  readonly #tensors: PlacedWeights;
  readonly #layers: RoundedLayers | undefined;

  /** @param isUnsigned see `RoundedLayers` */
  constructor(
    graph: Graph,
    tensors: PlacedWeights,
    numerics: Numerics = FLOAT32_ON_CPU,
    { isUnsigned = false } = {},
  ) {
    this.isRotated = [...tensors.values()].some(isRounded);
    this.#layers = this.isRotated ? new RoundedLayers(graph, isUnsigned) : undefined;
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

  /** The product of a value and a linear layer's weight in 8-bit arithmetic; undefined when the weight is not made for it. */
  roundedProduct(name: string, value: Value): Value | undefined {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined || !isRounded(tensor) || this.#layers === undefined) return undefined;
    const { rounding, group, codes, scales } = tensor;
    const dataType = this.#layers.codeType;
    const weight: RoundedWeight = {
      rounding,
      group,
      codes: this.#graph.external(`${name}.codes`, { ...codes, dataType }),
      scales: this.#external(`${name}.scales`, scales),
    };
    return this.#layers.multiply(value, weight);
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
    if (isQuantized(tensor) || isRounded(tensor))
      throw new Error(`the graph reads ${name} as floats, and it is held as integers`);
    return tensor;
  }
}

function dataTypeOf(tensor: PlacedTensor): DataType {
  const dataType = DATA_TYPES[tensor.dtype];
  if (dataType === undefined) throw new Error(`no ONNX type for ${tensor.dtype}`);
  return dataType;
}

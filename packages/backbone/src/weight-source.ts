import type { Graph, Value } from './onnx/graph.js';
import { DataType } from './onnx/proto.js';

/** A checkpoint's tensor in the compiled guard's directory. */
export interface PlacedTensor {
  dtype: string;
  shape: readonly number[];
  /** File name in the model's directory. */
  location: string;
  offset: number;
  byteLength: number;
}

const DATA_TYPES: Record<string, DataType> = {
  F32: DataType.FLOAT,
  F16: DataType.FLOAT16,
  BF16: DataType.BFLOAT16,
};

/** Gives a graph the checkpoint's tensors, each referenced where it is and cast to float32 as it is used. */
export class WeightSource {
  readonly #graph: Graph;
  readonly #tensors: ReadonlyMap<string, PlacedTensor>;

  constructor(graph: Graph, tensors: ReadonlyMap<string, PlacedTensor>) {
    this.#graph = graph;
    this.#tensors = tensors;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** A weight as float32. onnxruntime folds the cast of a stored half-precision tensor when it loads the model. */
  float32(name: string): Value {
    return this.cast(this.stored(name), name);
  }

  /** A weight as the checkpoint holds it: for a table of which only some rows are used. */
  stored(name: string): Value {
    const tensor = this.#tensor(name);
    return this.#graph.external(name, { ...tensor, dataType: dataTypeOf(tensor) });
  }

  /** `value`, which has the stored type of tensor `name`, as float32. */
  cast(value: Value, name: string): Value {
    if (dataTypeOf(this.#tensor(name)) === DataType.FLOAT) return value;
    return this.#graph.op('Cast', [value], { to: { int: DataType.FLOAT } });
  }

  #tensor(name: string): PlacedTensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new Error(`the graph reads ${name}, which planTensors() did not plan`);
    return tensor;
  }
}

function dataTypeOf(tensor: PlacedTensor): DataType {
  const dataType = DATA_TYPES[tensor.dtype];
  if (dataType === undefined) throw new Error(`no ONNX type for ${tensor.dtype}`);
  return dataType;
}

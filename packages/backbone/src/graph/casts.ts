import type { Graph, Value } from '../onnx/graph.js';
import { DataType } from '../onnx/proto.js';
import type { Arithmetic } from '../precision.js';

const DATA_TYPES: Record<Arithmetic, DataType> = {
  float32: DataType.FLOAT,
  float16: DataType.FLOAT16,
  bfloat16: DataType.BFLOAT16,
};

/**
 * Casts values to the compute type of linear layers and attention, and back. Everything between them (residual stream,
 * norms, pooling, head) is float32, so that rounding does not accumulate over blocks. A no-op in float32.
 */
export class Casts {
  readonly #graph: Graph;
  readonly dataType: DataType;

  constructor(graph: Graph, arithmetic: Arithmetic) {
    this.#graph = graph;
    this.dataType = DATA_TYPES[arithmetic];
  }

  /** A float32 value in the compute type. */
  narrow(value: Value): Value {
    return this.#cast(value, DataType.FLOAT, this.dataType);
  }

  /** A computed value as float32. */
  widen(value: Value): Value {
    return this.#cast(value, this.dataType, DataType.FLOAT);
  }

  /** A value of type `from` in the compute type. */
  stored(value: Value, from: DataType): Value {
    return this.#cast(value, from, this.dataType);
  }

  #cast(value: Value, from: DataType, to: DataType): Value {
    return from === to ? value : this.#graph.op('Cast', [value], { to: { int: to } });
  }
}

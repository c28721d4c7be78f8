import type { Graph, Value } from '../onnx/graph.js';
import { DataType } from '../onnx/proto.js';
import type { Arithmetic } from '../precision.js';

const DATA_TYPES: Record<Arithmetic, DataType> = {
  float32: DataType.FLOAT,
  float16: DataType.FLOAT16,
  bfloat16: DataType.BFLOAT16,
};

/**
 * Takes values into what linear layers and attention are computed in, and back. Everything between them (the residual
 * stream, norms, pooling, head) is float32, so that the rounding of one block is not carried into the next.
 * In float32 arithmetic both ways are no step at all.
 */
export class Casts {
  readonly #graph: Graph;
  readonly dataType: DataType;

  constructor(graph: Graph, arithmetic: Arithmetic) {
    this.#graph = graph;
    this.dataType = DATA_TYPES[arithmetic];
  }

  /** A float32 value, to compute with. */
  narrow(value: Value): Value {
    return this.#cast(value, DataType.FLOAT, this.dataType);
  }

  /** What was computed, as float32. */
  widen(value: Value): Value {
    return this.#cast(value, this.dataType, DataType.FLOAT);
  }

  /** A value that is stored as `from`, to compute with. */
  stored(value: Value, from: DataType): Value {
    return this.#cast(value, from, this.dataType);
  }

  #cast(value: Value, from: DataType, to: DataType): Value {
    return from === to ? value : this.#graph.op('Cast', [value], { to: { int: to } });
  }
}

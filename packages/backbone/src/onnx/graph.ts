import { AttributeType, DataType, EXTERNAL, encodeModel } from './proto.js';

/** A value in the graph, by name. */
export type Value = string;

/** Tensor data in a file of its own, next to the model. */
export interface ExternalTensor {
  dataType: DataType;
  shape: readonly number[];
  /** File name in the model's directory: onnxruntime follows no link out of it. */
  location: string;
  /** Bytes from the start of that file. */
  offset: number;
  byteLength: number;
}

type Attributes = Record<string, { int: number } | { float: number } | { ints: readonly number[] }>;

const IR_VERSION = 10;
/** Attention came with 23. */
const ONNX_OPSET = 23;
const MICROSOFT = 'com.microsoft';

/**
 * Builds an ONNX graph node by node. Names are numbered in call order, so that equal calls give equal bytes.
 */
export class Graph {
  readonly #nodes: object[] = [];
  readonly #initializers: object[] = [];
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];
  readonly #shapes = new Set<Value>();
  #count = 0;

  /** A graph input. A string in `shape` names a dynamic dimension. */
  input(name: string, dataType: DataType, shape: readonly (number | string)[]): Value {
    this.#inputs.push(valueInfo(name, dataType, shape));
    return name;
  }

  output(name: Value, dataType: DataType, shape: readonly (number | string)[]): void {
    this.#outputs.push(valueInfo(name, dataType, shape));
  }

  /** A constant stored in the model file. */
  constant(
    name: string,
    shape: readonly number[],
    data: Float32Array | BigInt64Array | Uint8Array | Int8Array,
  ): Value {
    const dataType = dataTypeOf(data);
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#initializers.push({ name, dims: shape, dataType, rawData });
    return name;
  }

  /** A one-dimensional integer constant: a shape or indices. */
  integers(name: string, values: Iterable<number>): Value {
    const data = BigInt64Array.from(Array.from(values, BigInt));
    return this.constant(name, [data.length], data);
  }

  /** A shape for Reshape. Equal shapes share one value. */
  shape(dims: readonly number[]): Value {
    const name = `shape_${dims.join('x').replace('-1', 'n')}`;
    if (!this.#shapes.has(name)) this.#shapes.add(this.integers(name, dims));
    return name;
  }

  /** A constant read in place from another file. */
  external(name: string, tensor: ExternalTensor): Value {
    const externalData = [
      { key: 'location', value: tensor.location },
      { key: 'offset', value: String(tensor.offset) },
      { key: 'length', value: String(tensor.byteLength) },
    ];
    this.#initializers.push({
      name,
      dims: tensor.shape,
      dataType: tensor.dataType,
      dataLocation: EXTERNAL,
      externalData,
    });
    return name;
  }

  /** A node of the standard operator set with one output. An empty string omits an optional input. */
  op(opType: string, inputs: Value[], attributes: Attributes = {}, output?: Value): Value {
    const name = output ?? this.#fresh(opType);
    this.#push('', opType, inputs, [name], attributes);
    return name;
  }

  /** Splits a value along `axis` into parts of the given sizes. */
  split(value: Value, sizes: readonly number[], axis: number): Value[] {
    const parts = sizes.map(() => this.#fresh('Split'));
    this.#push('', 'Split', [value, this.shape(sizes)], parts, { axis: { int: axis } });
    return parts;
  }

  /** A node of onnxruntime's own operator set (contrib operators), with `outputs` outputs. */
  contrib(
    opType: string,
    inputs: Value[],
    attributes: Attributes,
    outputs: (Value | undefined)[] = [undefined],
  ): Value[] {
    const names = outputs.map((output) => output ?? this.#fresh(opType));
    this.#push(MICROSOFT, opType, inputs, names, attributes);
    return names;
  }

  /** The graph as bytes of an `.onnx` file. */
  encode(name: string): Uint8Array {
    return encodeModel({
      irVersion: IR_VERSION,
      producerName: 'tocsin',
      opsetImport: [
        { domain: '', version: ONNX_OPSET },
        { domain: MICROSOFT, version: 1 },
      ],
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      },
    });
  }

  #fresh(opType: string): Value {
    return `${opType}_${this.#count++}`;
  }

  #push(domain: string, opType: string, input: Value[], output: Value[], attributes: Attributes): void {
    const attribute = Object.entries(attributes).map(([name, value]) => {
      if ('int' in value) return { name, type: AttributeType.INT, i: value.int };
      if ('ints' in value) return { name, type: AttributeType.INTS, ints: value.ints };
      return { name, type: AttributeType.FLOAT, f: value.float };
    });
    this.#nodes.push({ name: `n${this.#nodes.length}_${opType}`, opType, domain, input, output, attribute });
  }
}

function dataTypeOf(data: Float32Array | BigInt64Array | Uint8Array | Int8Array): DataType {
  if (data instanceof Float32Array) return DataType.FLOAT;
  if (data instanceof BigInt64Array) return DataType.INT64;
  return data instanceof Int8Array ? DataType.INT8 : DataType.UINT8;
}

function valueInfo(name: string, elemType: DataType, shape: readonly (number | string)[]): object {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

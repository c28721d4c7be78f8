import { AttributeType, DataType, ModelProto } from '../onnx/proto.js';

/** A node of an encoded graph, with the types of its values. */
export interface TypedNode {
  opType: string;
  domain: string;
  /** The types of its inputs; undefined for an omitted one. */
  inputs: (DataType | undefined)[];
  /** Of its first output. */
  output: DataType;
}

interface Named {
  name: string;
}
interface DecodedGraph {
  node: {
    opType: string;
    domain: string;
    input: string[];
    output: string[];
    attribute: { name: string; type: number; i: { toString(): string } }[];
  }[];
  initializer: (Named & { dataType: DataType })[];
  input: (Named & { type: { tensorType: { elemType: DataType } } })[];
  output: (Named & { type: { tensorType: { elemType: DataType } } })[];
}

/**
 * Every node of an `.onnx` file with the types of its values, propagated from the graph's inputs and initializers. Except
 * for Cast, all operators of our graphs return the type of their first input.
 * @throws when a value is used before it is defined, or an output's type differs from the declared one
 */
export function typedNodes(bytes: Uint8Array): TypedNode[] {
  const { graph } = ModelProto.decode(bytes) as unknown as { graph: DecodedGraph };
  const types = new Map<string, DataType>();
  for (const { name, dataType } of graph.initializer) types.set(name, dataType);
  for (const { name, type } of graph.input) types.set(name, type.tensorType.elemType);
  const typeOf = (name: string): DataType => {
    const type = types.get(name);
    if (type === undefined) throw new Error(`${name} is used before it is defined`);
    return type;
  };
  const nodes = graph.node.map(({ opType, domain, input, output, attribute }): TypedNode => {
    const inputs = input.map((name) => (name === '' ? undefined : typeOf(name)));
    const to = attribute.find(({ name, type }) => name === 'to' && type === AttributeType.INT);
    const given = to === undefined ? inputs[0] : (Number(to.i.toString()) as DataType);
    if (given === undefined) throw new Error(`${opType} has no first input`);
    for (const name of output) types.set(name, given);
    return { opType, domain, inputs, output: given };
  });
  for (const { name, type } of graph.output) {
    if (typeOf(name) !== type.tensorType.elemType) throw new Error(`${name} does not have its declared type`);
  }
  return nodes;
}

/** Types of weights, and of values computed with them. */
export const FLOAT_TYPES: ReadonlySet<DataType> = new Set([
  DataType.FLOAT,
  DataType.FLOAT16,
  DataType.BFLOAT16,
]);

export { type BackboneConfig, type Family, readBackboneConfig } from './backbone-config.js';
export { BATCH_FEATURES, BATCH_INPUTS, BATCH_SCORES, buildBatchGraph } from './batch-graph.js';
export type { Checkpoint, CheckpointTensor } from './checkpoint.js';
export { ggufTokenizerConfig } from './gguf-tokenizer-config.js';
export { Graph, type Value } from './onnx/graph.js';
export { DataType } from './onnx/proto.js';
export { openCheckpoint, weightFilesOf } from './open-checkpoint.js';
export { type PlacedBackbone, placeCheckpoint } from './place-checkpoint.js';
export { placeGguf } from './place-gguf.js';
export {
  type Arithmetic,
  DEFAULT_PRECISION,
  DEVICE_KINDS,
  type DeviceKind,
  type Numerics,
  numericsOf,
  PRECISIONS,
  type Precision,
} from './precision.js';
export { newKeys, newValues, pastKeys, pastValues } from './prefix-attention.js';
export { buildPrefixGraph, PREFIX_INPUTS, PREFIX_MEANS, PREFIX_SCORES } from './prefix-graph.js';
export { QUANTIZATION_VERSION } from './quantize/block-format.js';
export { planTensors, type TensorPlan, takeTensors } from './tensor-plan.js';
export type { PlacedTensor, QuantizedTensor } from './weight-source.js';

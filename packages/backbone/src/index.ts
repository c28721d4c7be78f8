export { type BackboneConfig, type Family, readBackboneConfig } from './checkpoint/backbone-config.js';
export type { Checkpoint, CheckpointTensor } from './checkpoint/checkpoint.js';
export { ggufTokenizerConfig } from './checkpoint/gguf-tokenizer-config.js';
export { openCheckpoint, weightFilesOf } from './checkpoint/open-checkpoint.js';
export { type PlacedBackbone, placeCheckpoint } from './checkpoint/place-checkpoint.js';
export { placeGguf } from './checkpoint/place-gguf.js';
export { planTensors, type TensorPlan, takeTensors } from './checkpoint/tensor-plan.js';
export type { PlacedTensor, QuantizedTensor } from './checkpoint/weight-source.js';
export { BATCH_FEATURES, BATCH_INPUTS, BATCH_SCORES, buildBatchGraph } from './graph/batch-graph.js';
export { newKeys, newValues, pastKeys, pastValues } from './graph/prefix-attention.js';
export { buildPrefixGraph, PREFIX_INPUTS, PREFIX_MEANS, PREFIX_SCORES } from './graph/prefix-graph.js';
export { Graph, type Value } from './onnx/graph.js';
export { DataType } from './onnx/proto.js';
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
export { QUANTIZATION_VERSION } from './quantize/block-format.js';

export { type BackboneConfig, readBackboneConfig } from './checkpoint/backbone-config.js';

export { weightFilesOf } from './checkpoint/checkpoint.js';
export {
  ggufTokenizerConfig,
  type PlacedBackbone,
  type PlaceOptions,
  placeCheckpoint,
  placeGguf,
} from './checkpoint/place-checkpoint.js';
export { planTensors } from './checkpoint/tensor-plan.js';

export { BATCH_FEATURES, BATCH_INPUTS, BATCH_SCORES, buildBatchGraph } from './graph/batch-graph.js';
export {
  buildPrefixGraph,
  newKeys,
  newValues,
  PREFIX_INPUTS,
  PREFIX_MEANS,
  PREFIX_SCORES,
  pastKeys,
  pastValues,
} from './graph/prefix-graph.js';
export { BLOCK_PEAKS, BLOCK_RESULT, BLOCK_STATES, buildBlockGraph } from './int8/block-graph.js';
export type { Calibration } from './int8/store-int8.js';
export { Graph } from './onnx/graph.js';
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
export { QUANTIZATION_VERSION } from './quantize.js';
export { storeWeights } from './store/store-weights.js';

export { type BackboneConfig, type Family, readBackboneConfig } from './backbone-config.js';
export type { Checkpoint, CheckpointTensor } from './checkpoint.js';
export { buildContentGraph, CONTENT_INPUTS, CONTENT_OUTPUT } from './content-graph.js';
export { openCheckpoint, weightFilesOf } from './open-checkpoint.js';
export { type PlacedBackbone, placeCheckpoint } from './place-checkpoint.js';
export { placeGguf } from './place-gguf.js';
export { planTensors, type TensorPlan, takeTensors } from './tensor-plan.js';
export type { PlacedTensor } from './weight-source.js';

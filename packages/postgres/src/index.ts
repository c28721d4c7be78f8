export { boolArray, byteaArray, float4Array, int4Array, int8Array, textArray } from './binary-array.js';
export { cancelWhenInterrupted } from './cancel-when-interrupted.js';
export { createPool, inTransaction, type Pool, requireConnection } from './connect.js';
export { findBinaries } from './embedded/binaries.js';
export { defaultDataDir } from './embedded/data-dir.js';
export type { EmbeddedServer } from './embedded/start-embedded.js';
export { startEmbedded } from './embedded/start-embedded.js';
export { Leadership } from './leadership.js';
export { isTransient, withRetry } from './retry.js';
export {
  createSchema,
  currentSchema,
  lockKey,
  lookAtSchema,
  queueSchemaOf,
  schemaOf,
  useSchema,
  withoutSchema,
  withSchema,
} from './schema.js';

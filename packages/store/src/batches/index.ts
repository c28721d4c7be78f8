export {
  addBatch,
  type BatchesPage,
  type BatchFault,
  type BatchRow,
  findBatch,
  type NewBatch,
  pageBatches,
} from './batches.js';
export { type BatchEnd, endBatch, settleBatches, type WrittenFile } from './end-batch.js';
export {
  attendBatch,
  type BatchChanges,
  cancelBatch,
  changeBatch,
  leaveBatch,
  type TakenBatch,
  takeBatch,
} from './take-batch.js';

export { type CorpusFields, DEFAULT_FIELDS } from './rows/fields.js';
export {
  type CorpusRow,
  type KeptFields,
  placeOf,
  type RowContent,
  rejected,
  rejection,
} from './rows/row.js';
export { fieldSource } from './rows/source-record.js';
export { type InputText, moderationTexts } from './shapes/openai-batch.js';
export {
  badRequest,
  noJsonLine,
  noRequest,
  type RequestFault,
  readRequestKey,
  storedFault,
} from './shapes/request.js';
export {
  type BatchLine,
  batchLines,
  moderationResult,
  OpenaiBatchWriter,
} from './sinks/openai-batch-writer.js';
export { checkWritable, refuseInputAsOutput, writeText } from './sinks/output.js';
export type { RowWriter } from './sinks/row-writer.js';
export { csvText } from './sinks/score-encoder.js';
export type { RequestAnswer, ScoreRow } from './sinks/score-format.js';
export { scoreFormat } from './sinks/score-format.js';
export {
  checkOutput,
  type OutputOptions,
  outputFiles,
  type ScoreWriter,
  writerFor,
} from './sinks/score-writer.js';
export { checkSources } from './sources/check-sources.js';
export { absoluteSources, filesOf, findSources } from './sources/find-sources.js';
export {
  type CorpusReading,
  type ReadCorpusOptions,
  readCorpus,
} from './sources/read-corpus.js';
export { inputFormat, sourceLabel } from './sources/source-name.js';

export { checkSources } from './check-sources.js';
export { fieldSource } from './field-source.js';
export { type CorpusFields, DEFAULT_FIELDS } from './fields.js';
export { type FoundSources, findSources } from './find-sources.js';
export { INPUT_FORMATS, type InputFormat, inputFormat } from './input-format.js';
export { type ReadJsonlOptions, readJsonl } from './jsonl-reader.js';
export { checkWritable, refuseInputAsOutput } from './output.js';
export {
  type CorpusReading,
  DEFAULT_MAX_LINE_BYTES,
  QUOTE_STYLES,
  type QuoteStyle,
  type ReadCorpusOptions,
  readCorpus,
} from './read-corpus.js';
export { REJECT_KINDS, type Rejection, type RejectKind, rejection } from './reject.js';
export { isInside } from './roots.js';
export {
  type CorpusRow,
  type ItemRow,
  type KeptFields,
  placeOf,
  type RejectRow,
  type RowContent,
  type RowTrajectory,
  rejected,
} from './row.js';
export { MAX_KEY_LENGTH } from './row-key.js';
export { csvText } from './score-encoder.js';
export { SCORE_FORMATS, type ScoreFormat, scoreFormat } from './score-format.js';
export { type RequestAnswer, SCORE_COLUMNS, type ScoreRow } from './score-row.js';
export { checkOutput, type OutputOptions, outputFiles, type ScoreWriter, writerFor } from './score-writer.js';
export { SHAPES, type ShapeName } from './shapes/index.js';
export { type InputText, moderationTexts } from './shapes/moderation-input.js';
export { badRequest, noJsonLine, noRequest, type RequestFault, storedFault } from './shapes/request-fault.js';
export { readRequestKey } from './shapes/request-key.js';
export { type Moderation, type ModerationResult, moderationResult } from './sinks/moderation.js';
export { type BatchLine, batchLines, OpenaiBatchWriter } from './sinks/openai-batch-writer.js';
export { DEFAULT_TABLE_MODE, TABLE_MODES, type TableMode } from './sinks/postgres-writer.js';
export type { RowWriter } from './sinks/row-writer.js';
export { sourceLabel } from './source-name.js';
export { writeText } from './write-text.js';

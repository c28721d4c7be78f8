export { checkSources } from './check-sources.js';
export { fieldSource } from './field-source.js';
export { type CorpusFields, DEFAULT_FIELDS } from './fields.js';
export { type FoundSources, findSources } from './find-sources.js';
export { INPUT_FORMATS, type InputFormat } from './input-format.js';
export { type ReadJsonlOptions, readJsonl } from './jsonl-reader.js';
export { checkWritable } from './output.js';
export {
  type CorpusReading,
  DEFAULT_MAX_LINE_BYTES,
  type ReadCorpusOptions,
  readCorpus,
} from './read-corpus.js';
export type { CorpusRow, ItemRow, KeptFields, RejectRow, RowContent, RowTrajectory } from './row.js';
export { MAX_KEY_LENGTH } from './row-key.js';
export { SCORE_FORMATS, type ScoreFormat, scoreFormat } from './score-format.js';
export { SCORE_COLUMNS, type ScoreRow } from './score-row.js';
export { checkOutput, type OutputOptions, type ScoreWriter, writerFor } from './score-writer.js';
export { SHAPES, type ShapeName } from './shapes/index.js';
export { DEFAULT_TABLE_MODE, TABLE_MODES, type TableMode } from './sinks/postgres-writer.js';
export { sourceLabel } from './source-name.js';
export { writeText } from './write-text.js';

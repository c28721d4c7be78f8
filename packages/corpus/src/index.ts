export { checkSources } from './check-sources.js';
export { type CorpusFields, DEFAULT_FIELDS } from './fields.js';
export { DEFAULT_MAX_LINE_BYTES, type ReadJsonlOptions, readJsonl } from './jsonl-reader.js';
export type { CorpusRow, ItemRow, RejectRow, RowContent } from './row.js';
export { MAX_KEY_LENGTH } from './row-key.js';
export { SCORE_FORMATS, type ScoreFormat, scoreFormat } from './score-format.js';
export { SCORE_COLUMNS, type ScoreRow } from './score-row.js';
export { checkOutput, type ScoreWriter, writerFor } from './score-writer.js';

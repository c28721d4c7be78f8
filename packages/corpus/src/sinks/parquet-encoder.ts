import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { Encoder } from './row-writer.js';
import { SCORE_COLUMNS, type ScoreRow } from './score-row.js';

/** Rows per row group: the unit in which readers skip and parallelize, buffered by the encoder. */
const GROUP_ROWS = 20_000;

const TYPE_OF = {
  key: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  score: { type: 'DOUBLE' },
  harmful: { type: 'BOOLEAN' },
  threshold: { type: 'DOUBLE' },
  tokens: { type: 'INT32' },
  truncated: { type: 'BOOLEAN' },
  error: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
} as const satisfies Record<(typeof SCORE_COLUMNS)[number], Partial<SchemaElement>>;

const SCHEMA: SchemaElement[] = [
  { name: 'scores', num_children: SCORE_COLUMNS.length },
  ...SCORE_COLUMNS.map(
    (name): SchemaElement => ({
      name,
      ...TYPE_OF[name],
      repetition_type: name === 'key' ? 'REQUIRED' : 'OPTIONAL',
    }),
  ),
];

/** Encodes scores as a Parquet file (Snappy), one row group after the other. Missing values are null. */
export class ParquetEncoder implements Encoder<ScoreRow> {
  readonly header = '';
  readonly #bytes = new ByteWriter();
  readonly #parquet: ParquetWriter;
  readonly #cells: (row: ScoreRow) => ScoreRow;
  #rows: ScoreRow[] = [];

  /** @param cells the cells of a row */
  constructor(cells: (row: ScoreRow) => ScoreRow) {
    this.#cells = cells;
    this.#parquet = new ParquetWriter({ writer: this.#bytes, schema: SCHEMA, createdBy: 'tocsin' });
  }

  rows(rows: readonly ScoreRow[]): Uint8Array {
    for (const row of rows) {
      this.#rows.push(this.#cells(row));
      if (this.#rows.length === GROUP_ROWS) this.#writeGroup();
    }
    return this.#take();
  }

  end(): Uint8Array {
    if (this.#rows.length > 0) this.#writeGroup();
    this.#parquet.finish();
    return this.#take();
  }

  #writeGroup(): void {
    const columnData = SCORE_COLUMNS.map((name) => ({
      name,
      data: this.#rows.map((row) => row[name] ?? null),
    }));
    this.#parquet.write({ columnData, rowGroupSize: GROUP_ROWS });
    this.#rows = [];
  }

  /** The bytes written since the last call. */
  #take(): Uint8Array {
    const bytes = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return bytes;
  }
}

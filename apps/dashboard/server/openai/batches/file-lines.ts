import { type BatchLine, batchLines, type RowWriter } from '@tocsin/corpus';
import type { Pool } from '@tocsin/postgres';
import { beginFile, deleteFile, FileWriter, type NewFile, type WrittenFile } from '@tocsin/store';

/** Writes lines of a batch into a file of the store, which somebody has to complete. */
export class FileLines implements RowWriter<BatchLine> {
  readonly readerGone = false;
  readonly #pool: Pool;
  readonly #writer: FileWriter;

  private constructor(pool: Pool, id: string) {
    this.#pool = pool;
    this.#writer = new FileWriter(pool, id);
  }

  static async begin(pool: Pool, file: NewFile): Promise<FileLines> {
    await beginFile(pool, file);
    return new FileLines(pool, file.id);
  }

  /** What was written; undefined when it is nothing. */
  get written(): WrittenFile | undefined {
    const { id, bytes } = this.#writer;
    return bytes === 0 ? undefined : { id, bytes };
  }

  async write(lines: readonly BatchLine[]): Promise<void> {
    if (lines.length > 0) await this.#writer.write(batchLines.rows(lines));
  }

  finish(): Promise<void> {
    return this.#writer.flush();
  }

  async abort(): Promise<void> {
    await deleteFile(this.#pool, this.#writer.id);
  }
}

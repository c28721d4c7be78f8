import type { Pool } from '@tocsin/postgres';
import { withRetry } from '@tocsin/postgres';
import { and, eq } from 'drizzle-orm';
import { fileChunks } from '../schema/dashboard.js';
import { runQuery } from '../schema/run-query.js';
import { completeFile, type FileRow } from './files.js';

/** Bytes of a row: enough that rows are few, little enough that several at once cost no memory. */
export const CHUNK_BYTES = 1024 * 1024;

/** Writes a file that was begun, piece by piece; await each call before the next. */
export class FileWriter {
  readonly #pool: Pool;
  readonly id: string;
  #pieces: Buffer[] = [];
  #pending = 0;
  #chunks = 0;
  #bytes = 0;

  constructor(pool: Pool, id: string) {
    this.#pool = pool;
    this.id = id;
  }

  /** Given so far. */
  get bytes(): number {
    return this.#bytes;
  }

  async write(data: string | Uint8Array): Promise<void> {
    const piece =
      typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.length);
    this.#pieces.push(piece);
    this.#pending += piece.length;
    this.#bytes += piece.length;
    if (this.#pending >= CHUNK_BYTES) await this.#store();
  }

  /** Stores what is left. The file is still not complete: see `completeFile`. */
  async flush(): Promise<void> {
    if (this.#pending > 0) await this.#store();
  }

  /** Stores what is left, and completes the file. @param expiresAfter as of `completeFile` */
  async complete(expiresAfter?: number): Promise<FileRow> {
    await this.flush();
    return withRetry(() => completeFile(this.#pool, this.id, this.#bytes, expiresAfter));
  }

  async #store(): Promise<void> {
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#pending = 0;
    for (let at = 0; at < all.length; at += CHUNK_BYTES) {
      const n = this.#chunks++;
      // Safe to repeat: the same bytes at the same place.
      await withRetry(() =>
        runQuery(this.#pool, (db) =>
          db
            .insert(fileChunks)
            .values({ fileId: this.id, n, data: all.subarray(at, at + CHUNK_BYTES) })
            .onConflictDoNothing(),
        ),
      );
    }
  }
}

/** What a file holds, from its beginning. @throws Error when it is deleted while it is read */
export async function* readFileChunks(
  pool: Pool,
  { id, bytes }: Pick<FileRow, 'id' | 'bytes'>,
): AsyncGenerator<Buffer> {
  let read = 0;
  for (let n = 0; read < bytes; n++) {
    const [chunk] = await withRetry(() =>
      runQuery(pool, (db) =>
        db
          .select({ data: fileChunks.data })
          .from(fileChunks)
          .where(and(eq(fileChunks.fileId, id), eq(fileChunks.n, n))),
      ),
    );
    if (chunk === undefined) throw new Error(`the file ${id} was deleted while it was read`);
    read += chunk.data.length;
    yield chunk.data;
  }
}

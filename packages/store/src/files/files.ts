import { type Pool, withRetry } from '@tocsin/postgres';
import {
  and,
  asc,
  desc,
  eq,
  getTableColumns,
  gt,
  isNotNull,
  isNull,
  lt,
  or,
  type SQL,
  sql,
} from 'drizzle-orm';
import { batches, fileChunks, files, OPEN_BATCHES } from '../schema/dashboard.js';
import { type Queryable, runQuery } from '../schema/run-query.js';

const { completeAt, ...FILE } = getTableColumns(files);
/** A file of the API, whole. */
export type FileRow = Omit<typeof files.$inferSelect, 'completeAt'>;

/** One that is being stored, or has expired, is not there. */
const IS_THERE = and(isNotNull(completeAt), or(isNull(files.expiresAt), gt(files.expiresAt, sql`now()`)));

export interface NewFile {
  /** `file-...`, of nobody else. */
  id: string;
  ownerKey?: string | null;
  filename: string;
  purpose: string;
  expiresAt?: Date;
}

/** Begins a file: see `FileWriter`. It is there for others when it is complete. */
export async function beginFile(pool: Pool, file: NewFile): Promise<void> {
  await runQuery(pool, (db) => db.insert(files).values(file));
}

/**
 * Says that a file is whole.
 * @param expiresAfter seconds from now; what it was begun with if it is left out
 */
export async function completeFile(
  client: Queryable,
  id: string,
  bytes: number,
  expiresAfter?: number,
): Promise<FileRow> {
  const expiresAt =
    expiresAfter === undefined ? undefined : sql`now() + make_interval(secs => ${expiresAfter})`;
  const [row] = await runQuery(client, (db) =>
    db
      .update(files)
      .set({ bytes, completeAt: sql`now()`, expiresAt })
      .where(eq(files.id, id))
      .returning(FILE),
  );
  if (row === undefined) throw new Error(`the file ${id} is gone that was just stored`);
  return row;
}

/** One that is there; undefined when there is none. */
export function findFile(pool: Pool, id: string): Promise<FileRow | undefined> {
  return oneFile(pool, and(eq(files.id, id), IS_THERE));
}

/** The file that a batch reads: also one that has expired meanwhile. */
export function findInput(pool: Pool, id: string): Promise<FileRow | undefined> {
  return oneFile(pool, and(eq(files.id, id), isNotNull(completeAt)));
}

async function oneFile(pool: Pool, condition: SQL | undefined): Promise<FileRow | undefined> {
  const [file] = await runQuery(pool, (db) => db.select(FILE).from(files).where(condition));
  return file;
}

export interface FilesPage {
  limit: number;
  /** By the time when they were stored. */
  order: 'asc' | 'desc';
  /** Files that come after this one. */
  after?: string;
  /** Files of this key only. */
  ownerKey?: string;
  purpose?: string;
}

export function pageFiles(pool: Pool, page: FilesPage): Promise<FileRow[]> {
  const { limit, after, ownerKey, purpose } = page;
  const by = page.order === 'desc' ? desc : asc;
  const beyond = sql.raw(page.order === 'desc' ? '<' : '>');
  return runQuery(pool, (db) =>
    db
      .select(FILE)
      .from(files)
      .where(
        and(
          IS_THERE,
          ownerKey === undefined ? undefined : eq(files.ownerKey, ownerKey),
          purpose === undefined ? undefined : eq(files.purpose, purpose),
          after === undefined
            ? undefined
            : sql`(${files.createdAt}, ${files.id}) ${beyond} (select created_at, id from ${files} where id = ${after})`,
        ),
      )
      .orderBy(by(files.createdAt), by(files.id))
      .limit(limit),
  );
}

/** A batch that is not over still needs its file. A count: `not exists` may become a join that compares every row with every other. */
const NOT_NEEDED = sql`(select count(*) = 0 from ${batches} where ${batches.inputFile} = ${files.id} and ${batches.state} in ${OPEN_BATCHES})`;

async function deleteWhere(pool: Queryable, condition: SQL | undefined): Promise<number> {
  const { rowCount } = await runQuery(pool, (db) => db.delete(files).where(and(condition, NOT_NEEDED)));
  return rowCount ?? 0;
}

/** @returns false when there is none, or a batch that is not over needs it */
export async function deleteFile(pool: Pool, id: string): Promise<boolean> {
  return (await deleteWhere(pool, eq(files.id, id))) === 1;
}

/** Deletes files that have expired, and what is left of those whose storing was broken off a day ago. */
export async function forgetFiles(pool: Pool): Promise<void> {
  const abandoned = and(isNull(completeAt), lt(files.createdAt, sql`now() - interval '1 day'`));
  await deleteWhere(pool, or(lt(files.expiresAt, sql`now()`), abandoned));
}

/**
 * Deletes the files that runs were made from, and those that came of them: they hold what the runs' texts hold.
 * @returns files deleted
 */
export function purgeRunFiles(pool: Queryable, runIds: readonly number[]): Promise<number> {
  // An array, and no join: the planner looks each file up by its id, whatever it thinks of the tables' sizes.
  return deleteWhere(
    pool,
    sql`${files.id} = any(array(select unnest(array[input_file, output_file, error_file])
                                from ${batches} where run_id = any(${sql.param(runIds)}::bigint[])))`,
  );
}

/**
 * Deletes files that were stored so many days ago, whether they became a run or not.
 * @returns files deleted
 */
export function purgeFiles(pool: Pool, olderThanDays: number): Promise<number> {
  return deleteWhere(pool, lt(files.createdAt, sql`now() - ${olderThanDays}::float8 * interval '1 day'`));
}

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

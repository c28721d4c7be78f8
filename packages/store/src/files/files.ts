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
/** A complete file of the API. */
export type FileRow = Omit<typeof files.$inferSelect, 'completeAt'>;

/** Incomplete and expired files are excluded. */
const IS_THERE = and(isNotNull(completeAt), or(isNull(files.expiresAt), gt(files.expiresAt, sql`now()`)));

export interface NewFile {
  /** `file-...`, unique. */
  id: string;
  ownerKey?: string | null;
  filename: string;
  purpose: string;
  expiresAt?: Date;
}

/** Creates an incomplete file: see `FileWriter`. It becomes visible when it is completed. */
export async function beginFile(pool: Pool, file: NewFile): Promise<void> {
  await runQuery(pool, (db) => db.insert(files).values(file));
}

/**
 * Completes a file.
 * @param expiresAfter seconds from now; default: as given at its creation
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

/** A complete file; undefined when there is none. */
export function findFile(pool: Pool, id: string): Promise<FileRow | undefined> {
  return oneFile(pool, and(eq(files.id, id), IS_THERE));
}

/** The input file of a batch, even when it has expired meanwhile. */
export function findInput(pool: Pool, id: string): Promise<FileRow | undefined> {
  return oneFile(pool, and(eq(files.id, id), isNotNull(completeAt)));
}

async function oneFile(pool: Pool, condition: SQL | undefined): Promise<FileRow | undefined> {
  const [file] = await runQuery(pool, (db) => db.select(FILE).from(files).where(condition));
  return file;
}

export interface FilesPage {
  limit: number;
  /** By creation time. */
  order: 'asc' | 'desc';
  /** Files after this one. */
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

/**
 * An unfinished batch still needs its file. A count, because the planner may turn `not exists` into a join that
 * compares all rows.
 */
const NOT_NEEDED = sql`(select count(*) = 0 from ${batches} where ${batches.inputFile} = ${files.id} and ${batches.state} in ${OPEN_BATCHES})`;

async function deleteWhere(pool: Queryable, condition: SQL | undefined): Promise<number> {
  const { rowCount } = await runQuery(pool, (db) => db.delete(files).where(and(condition, NOT_NEEDED)));
  return rowCount ?? 0;
}

/** @returns false when it does not exist, or an unfinished batch needs it */
export async function deleteFile(pool: Pool, id: string): Promise<boolean> {
  return (await deleteWhere(pool, eq(files.id, id))) === 1;
}

/** Deletes expired files, and incomplete ones after a day. */
export async function forgetFiles(pool: Pool): Promise<void> {
  const abandoned = and(isNull(completeAt), lt(files.createdAt, sql`now() - interval '1 day'`));
  await deleteWhere(pool, or(lt(files.expiresAt, sql`now()`), abandoned));
}

/**
 * Deletes the input and output files of runs, which contain the runs' texts.
 * @returns files deleted
 */
export function purgeRunFiles(pool: Queryable, runIds: readonly number[]): Promise<number> {
  // An array instead of a join: the planner then looks up each file by id, whatever the statistics.
  return deleteWhere(
    pool,
    sql`${files.id} = any(array(select unnest(array[input_file, output_file, error_file])
                                from ${batches} where run_id = any(${sql.param(runIds)}::bigint[])))`,
  );
}

/**
 * Deletes files older than this many days, whether or not they became a run.
 * @returns files deleted
 */
export function purgeFiles(pool: Pool, olderThanDays: number): Promise<number> {
  return deleteWhere(pool, lt(files.createdAt, sql`now() - ${olderThanDays}::float8 * interval '1 day'`));
}

/** Bytes per row: enough that rows are few, few enough that several at once cost little memory. */
export const CHUNK_BYTES = 1024 * 1024;

/** Writes an incomplete file in pieces; await each call before the next. */
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

  /** Bytes written so far. */
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

  /** Flushes the rest. The file is still incomplete: see `completeFile`. */
  async flush(): Promise<void> {
    if (this.#pending > 0) await this.#store();
  }

  /** Flushes the rest and completes the file. @param expiresAfter as for `completeFile` */
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
      // Idempotent: the same bytes at the same position.
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

/** The content of a file. @throws Error when it is deleted while it is read */
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

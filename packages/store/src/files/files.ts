import type { Pool } from '@tocsin/postgres';

/** A file of the API, whole. */
export interface FileRow {
  /** `file-...` */
  id: string;
  /** uuid; null when it was stored without a key. */
  ownerKey: string | null;
  filename: string;
  bytes: number;
  purpose: string;
  createdAt: Date;
  /** Null for never. */
  expiresAt: Date | null;
}

const COLUMNS = `f.id, f.owner_key as "ownerKey", f.filename, f.bytes, f.purpose, f.created_at as "createdAt",
  f.expires_at as "expiresAt"`;
/** One that is being stored, or has expired, is not there. */
const IS_THERE = 'f.complete_at is not null and (f.expires_at is null or f.expires_at > now())';

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
  await pool.query(
    'insert into files (id, owner_key, filename, purpose, expires_at) values ($1, $2, $3, $4, $5)',
    [file.id, file.ownerKey, file.filename, file.purpose, file.expiresAt],
  );
}

/**
 * Says that a file is whole.
 * @param expiresAfter seconds from now; what it was begun with if it is left out
 */
export async function completeFile(
  client: Pick<Pool, 'query'>,
  id: string,
  bytes: number,
  expiresAfter?: number,
): Promise<FileRow> {
  const { rows } = await client.query<FileRow>(
    `update files f
     set bytes = $2, complete_at = now(), expires_at = coalesce(now() + make_interval(secs => $3), expires_at)
     where f.id = $1 returning ${COLUMNS}`,
    [id, bytes, expiresAfter],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`the file ${id} is gone that was just stored`);
  return row;
}

/** One that is there; undefined when there is none. */
export async function findFile(pool: Pool, id: string): Promise<FileRow | undefined> {
  const { rows } = await pool.query<FileRow>(
    `select ${COLUMNS} from files f where f.id = $1 and ${IS_THERE}`,
    [id],
  );
  return rows[0];
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

export async function pageFiles(pool: Pool, page: FilesPage): Promise<FileRow[]> {
  const down = page.order === 'desc';
  const { rows } = await pool.query<FileRow>(
    `select ${COLUMNS} from files f
     where ${IS_THERE} and ($3::uuid is null or f.owner_key = $3) and ($4::text is null or f.purpose = $4)
       and ($2::text is null
            or (f.created_at, f.id) ${down ? '<' : '>'} (select created_at, id from files where id = $2))
     order by f.created_at ${page.order}, f.id ${page.order} limit $1`,
    [page.limit, page.after, page.ownerKey, page.purpose],
  );
  return rows;
}

/** A batch that is not over still needs its file. */
const NOT_NEEDED = `(select count(*) = 0 from batches b where b.input_file = f.id
  and b.state in ('validating', 'in_progress', 'finalizing', 'cancelling'))`;

/** @returns false when there is none, or a batch that is not over needs it */
export async function deleteFile(pool: Pool, id: string): Promise<boolean> {
  const { rowCount } = await pool.query(`delete from files f where f.id = $1 and ${NOT_NEEDED}`, [id]);
  return rowCount === 1;
}

/** The file that a batch reads: also one that has expired meanwhile. */
export async function findInput(pool: Pool, id: string): Promise<FileRow | undefined> {
  const { rows } = await pool.query<FileRow>(
    `select ${COLUMNS} from files f where f.id = $1 and f.complete_at is not null`,
    [id],
  );
  return rows[0];
}

/** Deletes files that have expired, and what is left of those whose storing was broken off a day ago. */
export async function forgetFiles(pool: Pool): Promise<void> {
  await pool.query(
    `delete from files f
     where (f.expires_at < now() or (f.complete_at is null and f.created_at < now() - interval '1 day')) and ${NOT_NEEDED}`,
  );
}

/**
 * Deletes the files that runs were made from, and those that came of them: they hold what the runs' texts hold.
 * @returns files deleted
 */
export async function purgeRunFiles(pool: Pick<Pool, 'query'>, runIds: readonly number[]): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from files f
     where f.id = any(array(select unnest(array[b.input_file, b.output_file, b.error_file])
                            from batches b where b.run_id = any($1::bigint[])))
       and ${NOT_NEEDED}`,
    [runIds],
  );
  return rowCount ?? 0;
}

/**
 * Deletes files that were stored so many days ago, whether they became a run or not.
 * @returns files deleted
 */
export async function purgeFiles(pool: Pool, olderThanDays: number): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from files f where f.created_at < now() - $1 * interval '1 day' and ${NOT_NEEDED}`,
    [olderThanDays],
  );
  return rowCount ?? 0;
}

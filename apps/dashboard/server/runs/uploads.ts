import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { MultipartFile } from '@fastify/multipart';
import { uploadFields, withoutControls } from '@tocsin/contract';
import { codeOf, isUserError, UserError } from '@tocsin/core';
import type { CorpusRow } from '@tocsin/corpus';
import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError } from '../http/api-error.js';
import type { Limits } from '../limits.js';

/** The multipart fields, for the OpenAPI document. */
export const uploadForm = uploadFields.extend({
  file: z.any().meta({ type: 'string', format: 'binary', description: 'One or more files.' }),
});

const MAX_FILES = 100;
const MAX_FIELD_BYTES = 10_000;

export interface Upload {
  fields: z.output<typeof uploadFields>;
  files: UploadedFile[];
}

/** Bytes between two checks of the free disk space. */
const LOOK_AT_DISK_BYTES = 64 * 1024 * 1024;

/**
 * Streams the files of a multipart request into a directory.
 * @throws ApiError for an invalid request, or one over the size limit or the free disk space
 */
export async function receiveUpload(
  request: FastifyRequest,
  directory: string,
  { uploadBytes, diskHeadroomBytes }: Pick<Limits, 'uploadBytes' | 'diskHeadroomBytes'>,
): Promise<Upload> {
  if (!request.isMultipart()) {
    throw new ApiError(415, 'multipart/form-data was expected', {
      hint: 'Rows as JSON go to POST /api/runs.',
    });
  }
  const fields: Record<string, unknown> = {};
  const files: UploadedFile[] = [];
  const limits = { fileSize: uploadBytes, files: MAX_FILES, fields: 20, fieldSize: MAX_FIELD_BYTES };
  let bytes = 0;
  const count = async (more: number): Promise<void> => {
    const looks = Math.floor(bytes / LOOK_AT_DISK_BYTES);
    bytes += more;
    if (bytes > uploadBytes) throw tooLarge(uploadBytes);
    if (Math.floor(bytes / LOOK_AT_DISK_BYTES) > looks) await requireSpace(0, diskHeadroomBytes);
  };
  for await (const part of request.parts({ limits })) {
    if (part.type === 'file') files.push(await receiveFile(part, directory, files.length, count));
    else if (part.fieldname in fields)
      throw new ApiError(400, 'a field is given twice', { field: part.fieldname });
    else fields[part.fieldname] = part.value;
  }
  if (files.length === 0) throw new ApiError(400, 'there is no file', { field: 'file' });
  const parsed = uploadFields.safeParse(fields);
  if (parsed.success) return { fields: parsed.data, files };
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || undefined;
  throw new ApiError(400, `${field ?? 'the fields'}: ${issue?.message ?? 'they do not fit'}`, { field });
}

const tooLarge = (maxBytes: number): ApiError =>
  new ApiError(413, `the files have more than ${maxBytes} bytes in all`, {
    hint: 'Send them in several requests, or submit them where they are: tocsin submit.',
  });

/** @param count called with the bytes as they arrive; may throw to refuse them */
async function receiveFile(
  part: MultipartFile,
  directory: string,
  number: number,
  count: (bytes: number) => Promise<void>,
): Promise<UploadedFile> {
  const name = shownName(part.filename);
  // Rows without an id get one from their file name, so each file has its own directory in case names are equal.
  const own = join(directory, String(number));
  await mkdir(own);
  const path = join(own, storedName(name));
  const counted = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      await count(chunk.length);
      yield chunk;
    }
  };
  await pipeline(part.file, counted, createWriteStream(path, { flags: 'wx' }));
  return { name, path };
}

/** The display name: no path, no control characters, and nothing that Postgres rejects. */
function shownName(given: string): string {
  const name = withoutControls(basename(given.replaceAll('\\', '/')))
    .toWellFormed()
    .slice(-200);
  return name.trim() === '' ? 'upload' : name;
}

/** The name on disk, also used for ids of rows without one. The extension determines the format. */
function storedName(name: string): string {
  return name
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(-100)
    .replace(/^[.-]+/, '_');
}

/** `tocsin-upload-PID-XXXXXX`; older versions had no process id. */
const DIRECTORY = /^tocsin-upload-(?:(\d+)-)?[A-Za-z0-9]{6}$/;
/** Age at which a directory without a process id, or with a reused one, counts as stale. */
const OLD_MS = 24 * 60 * 60_000;
const RETRY_AFTER_SECONDS = 60;
const GIB = 1024 ** 3;

/** Creates a directory for the files of one upload, named after this process. */
export function uploadDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), `tocsin-upload-${process.pid}-`));
}

/**
 * Checks the free disk space for uploads.
 * @param bytes expected size, as far as it is known
 * @throws ApiError when less than `headroom` bytes would remain
 */
export async function requireSpace(bytes: number, headroom: number): Promise<void> {
  const { bavail, bsize } = await statfs(tmpdir());
  const free = bavail * bsize;
  if (free - bytes >= headroom) return;
  throw new ApiError(
    503,
    `there is no room for the upload: it has ${gib(bytes)}, and the server ${gib(free)} of which ${gib(headroom)} stay free`,
    { hint: 'Free space in its temporary directory (TMPDIR).', retryAfter: RETRY_AFTER_SECONDS },
  );
}

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;

/** Removes upload directories of dead processes. */
export async function sweepUploads(log: FastifyBaseLogger, root = tmpdir()): Promise<void> {
  for (const name of await readdir(root)) {
    const [found, pid] = DIRECTORY.exec(name) ?? [];
    if (found === undefined || Number(pid) === process.pid) continue;
    const path = join(root, name);
    try {
      const { mtimeMs } = await stat(path);
      const isOld = Date.now() - mtimeMs > OLD_MS;
      if (!isOld && (pid === undefined || isAlive(Number(pid)))) continue;
      await rm(path, { recursive: true, force: true });
      log.info({ directory: name }, 'a leftover upload was removed');
    } catch (error) {
      // Owned by another user, or already removed by another server.
      log.debug({ directory: name, code: codeOf(error) }, 'a leftover upload could not be removed');
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** An uploaded file. */
export interface UploadedFile {
  path: string;
  /** The client's name for it. */
  name: string;
}

/** Replaces the server's path with the client's file name in reject reasons. */
export function rowInShownNames(files: readonly UploadedFile[]): (row: CorpusRow) => CorpusRow {
  const names = new Map(files.map(({ path, name }) => [path, name]));
  return (row) => ({ ...row, file: names.get(row.file) ?? row.file });
}

/** The same in a note on the corpus. */
export function noteInShownNames(note: string, files: readonly UploadedFile[]): string {
  return files.reduce(
    (text, { path, name }) =>
      text.replaceAll(JSON.stringify(path), JSON.stringify(name)).replaceAll(path, name),
    note,
  );
}

/** The same in a thrown error. */
export function errorInShownNames(error: unknown, files: readonly UploadedFile[]): unknown {
  if (!isUserError(error)) return error;
  const message = files.reduce((text, { path, name }) => text.replaceAll(path, name), error.message);
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new UserError(message, { cause: error, ...hint });
}

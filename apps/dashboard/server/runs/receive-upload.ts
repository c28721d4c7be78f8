import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { MultipartFile } from '@fastify/multipart';
import { uploadFields, withoutControls } from '@tocsin/contract';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError } from '../http/api-error.js';
import type { Limits } from '../limits.js';
import { requireSpace } from './upload-space.js';
import type { UploadedFile } from './uploaded-files.js';

/** What an upload is made of, for who reads about it. */
export const uploadForm = uploadFields.extend({
  file: z.any().meta({ type: 'string', format: 'binary', description: 'One or more files.' }),
});

const MAX_FILES = 100;
const MAX_FIELD_BYTES = 10_000;

export interface Upload {
  fields: z.output<typeof uploadFields>;
  files: UploadedFile[];
}

/** Bytes between two looks at the disk. */
const LOOK_AT_DISK_BYTES = 64 * 1024 * 1024;

/**
 * Writes the files of a multipart request into a directory, as they come.
 * @throws ApiError for what is no such request, or too large, or more than the disk has room for
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

/** @param count told of the bytes as they come; may refuse them */
async function receiveFile(
  part: MultipartFile,
  directory: string,
  number: number,
  count: (bytes: number) => Promise<void>,
): Promise<UploadedFile> {
  const name = shownName(part.filename);
  // Rows without an id are called after their file: each has a directory of its own, so that names may be equal.
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

/** What people see: the name without a path, without control characters, and nothing that Postgres would not take. */
function shownName(given: string): string {
  const name = withoutControls(basename(given.replaceAll('\\', '/')))
    .toWellFormed()
    .slice(-200);
  return name.trim() === '' ? 'upload' : name;
}

/** What the file system sees, and keys of rows without an id begin with. The end of the name says what is in the file. */
function storedName(name: string): string {
  return name
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(-100)
    .replace(/^[.-]+/, '_');
}

import type { Multipart } from '@fastify/multipart';
import { withoutControls } from '@tocsin/contract';
import { fileFields, inSeconds, KEPT_SECONDS } from '@tocsin/contract/openai';
import type { Pool } from '@tocsin/postgres';
import { beginFile, deleteFile, type FileRow, FileWriter } from '@tocsin/store';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { invalid, OpenaiError } from '../errors.js';
import { newId } from '../models.js';

/** Form fields besides the file. */
const FIELDS = ['purpose', 'expires_after[anchor]', 'expires_after[seconds]'] as const;
const MAX_FIELDS = 10;
const MAX_FIELD_BYTES = 1_000;
const MAX_NAME = 500;

/**
 * Stores the file of an upload while it arrives. Some clients send the other fields after the file, so a rejected upload is
 * deleted at the end.
 */
export async function receiveFile(
  pool: Pool,
  request: FastifyRequest,
  { ownerKey, maxBytes }: { ownerKey: string | null; maxBytes: number },
): Promise<FileRow> {
  if (!request.isMultipart()) {
    throw new OpenaiError({
      message: 'A file is uploaded as multipart/form-data, with the fields "purpose" and "file".',
      status: 415,
      code: 'unsupported_media_type',
      param: null,
    });
  }
  let writer: FileWriter | undefined;
  try {
    const fields = new Map<string, unknown>();
    const limits = { fileSize: maxBytes, files: 1, fields: MAX_FIELDS, fieldSize: MAX_FIELD_BYTES };
    for await (const part of request.parts({ limits })) {
      if (part.type === 'field') fields.set(part.fieldname, part.value);
      else if (part.fieldname === 'file') writer = await storePart(pool, part, ownerKey);
      else throw invalid('The file was expected in the field "file".', 'file');
    }
    if (writer === undefined)
      throw invalid('The field "file" is missing.', 'file', 'missing_required_parameter');
    const { expires_after } = requireFields(fields);
    return await writer.complete(expires_after?.seconds);
  } catch (error) {
    if (writer !== undefined) await deleteFile(pool, writer.id);
    throw error;
  }
}

async function storePart(
  pool: Pool,
  part: Extract<Multipart, { type: 'file' }>,
  ownerKey: string | null,
): Promise<FileWriter> {
  const id = newId('file-');
  const filename = nameOf(part.filename);
  await beginFile(pool, { id, ownerKey, filename, purpose: 'batch', expiresAt: inSeconds(KEPT_SECONDS) });
  const writer = new FileWriter(pool, id);
  try {
    // A file over the limit ends with an error.
    for await (const chunk of part.file) await writer.write(chunk as Buffer);
    return writer;
  } catch (error) {
    await deleteFile(pool, id);
    throw error;
  }
}

/** The client's file name is shown to users, and never opened. */
function nameOf(filename: string | undefined): string {
  const name = withoutControls(filename ?? '')
    .toWellFormed()
    .slice(0, MAX_NAME)
    .toWellFormed();
  return name === '' ? 'upload.jsonl' : name;
}

function requireFields(fields: ReadonlyMap<string, unknown>): z.output<typeof fileFields> {
  const [purpose, anchor, seconds] = FIELDS.map((name) => fields.get(name));
  const expires_after = anchor === undefined && seconds === undefined ? undefined : { anchor, seconds };
  const parsed = fileFields.safeParse({ purpose, expires_after });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const param = issue?.path.join('.') ?? 'purpose';
  if (param === 'purpose')
    throw invalid('The "purpose" of a file must be "batch": others are not supported.', param);
  throw invalid(`Invalid value for '${param}': ${issue?.message ?? 'it is not as expected'}.`, param);
}

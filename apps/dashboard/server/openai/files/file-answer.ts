import { FILE_PURPOSES, type File, unixSeconds } from '@tocsin/contract/openai';
import type { FileRow } from '@tocsin/store';

export function fileAnswer({ id, bytes, createdAt, expiresAt, filename, purpose }: FileRow): File {
  const known = FILE_PURPOSES.find((one) => one === purpose);
  if (known === undefined) throw new Error(`the file ${id} has the purpose ${purpose}`);
  return {
    id,
    object: 'file',
    bytes,
    created_at: unixSeconds(createdAt),
    expires_at: expiresAt === null ? null : unixSeconds(expiresAt),
    filename,
    purpose: known,
    status: 'processed',
  };
}

import { Readable } from 'node:stream';
import {
  deletedFile,
  FILE_PURPOSES,
  type File,
  file,
  fileForm,
  fileList,
  fileListQuery,
  fileParams,
  listOfRows,
  refusals,
  unixSeconds,
} from '@tocsin/contract/openai';
import { deleteFile, type FileRow, findFile, pageFiles, readFileChunks } from '@tocsin/store';
import type { FastifyRequest } from 'fastify';
import { audited, onlyOwner, whoOf } from '../../access/who.js';
import type { App } from '../../app.js';
import { conflict, notFound } from '../errors.js';
import type { OpenaiOptions } from '../models.js';
import { receiveFile } from './receive-file.js';

/** `/files`: uploaded requests, and output files of batches. */
export function fileRoutes(app: App, { pool, uploadBytes }: OpenaiOptions): void {
  /** @throws OpenaiError for a file that does not exist or belongs to another key: the two are indistinguishable */
  const visibleFile = async (request: FastifyRequest, id: string): Promise<FileRow> => {
    const found = await findFile(pool, id);
    const owner = onlyOwner(whoOf(request));
    if (found !== undefined && (owner === undefined || owner === found.ownerKey)) return found;
    throw notFound(`No such File object: ${id}`, 'id');
  };

  app.post(
    '/files',
    {
      config: { needs: 'submit' },
      schema: {
        tags: ['OpenAI'],
        summary: 'Upload a file of requests',
        consumes: ['multipart/form-data'],
        body: fileForm,
        response: { 200: file, ...refusals },
      },
      // The handler reads the parts one by one.
      validatorCompiler: () => () => true,
    },
    async (request) => {
      const ownerKey = whoOf(request).keyId;
      const stored = await receiveFile(pool, request, { ownerKey, maxBytes: uploadBytes });
      await audited(pool, request, { action: 'file.upload', subject: stored.id });
      return fileAnswer(stored);
    },
  );

  app.get(
    '/files',
    {
      config: { needs: 'read' },
      schema: {
        tags: ['OpenAI'],
        summary: 'Files',
        querystring: fileListQuery,
        response: { 200: fileList, ...refusals },
      },
    },
    async (request) => {
      const { after, limit, order, purpose } = request.query;
      if (after !== undefined) await visibleFile(request, after);
      const ownerKey = onlyOwner(whoOf(request));
      const rows = await pageFiles(pool, { limit: limit + 1, order, after, purpose, ownerKey });
      return listOfRows(rows.map(fileAnswer), limit);
    },
  );

  app.get(
    '/files/:id',
    {
      config: { needs: 'read' },
      schema: {
        tags: ['OpenAI'],
        summary: 'A file',
        params: fileParams,
        response: { 200: file, ...refusals },
      },
    },
    async (request) => fileAnswer(await visibleFile(request, request.params.id)),
  );

  app.get(
    '/files/:id/content',
    {
      config: { needs: 'read', download: true },
      schema: { tags: ['OpenAI'], summary: 'Download the content of a file', params: fileParams },
    },
    async (request, reply) => {
      const found = await visibleFile(request, request.params.id);
      await audited(pool, request, { action: 'text.read', subject: found.id });
      return reply
        .header('content-type', 'application/octet-stream')
        .header('content-length', found.bytes)
        .header('content-disposition', 'attachment')
        .send(Readable.from(readFileChunks(pool, found), { objectMode: false }));
    },
  );

  app.delete(
    '/files/:id',
    {
      config: { needs: 'submit' },
      schema: {
        tags: ['OpenAI'],
        summary: 'Delete a file and its content',
        params: fileParams,
        response: { 200: deletedFile, ...refusals },
      },
    },
    async (request) => {
      const { id } = await visibleFile(request, request.params.id);
      if (!(await deleteFile(pool, id)) && (await findFile(pool, id)) !== undefined) {
        throw conflict('The file is read by a batch that is not over. Cancel the batch first.');
      }
      await audited(pool, request, { action: 'file.delete', subject: id });
      return { id, object: 'file' as const, deleted: true };
    },
  );
}

function fileAnswer({ id, bytes, createdAt, expiresAt, filename, purpose }: FileRow): File {
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

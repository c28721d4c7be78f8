import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { madeRun, newRun, type UploadFields } from '@tocsin/contract';
import { DEFAULT_FIELDS, fieldSource } from '@tocsin/corpus';
import type { Submission } from '@tocsin/pipeline';
import { openRowsOf } from '@tocsin/store';
import type { FastifyRequest } from 'fastify';
import { audited, whoOf } from '../access/who.js';
import type { App, Services } from '../app.js';
import type { ServedGuard } from '../guards/served-guards.js';
import { ApiError } from '../http/api-error.js';
import { elementsOf } from '../http/json-body.js';
import type { UploadedFiles } from './submissions.js';
import { receiveUpload, requireSpace, uploadDirectory, uploadForm } from './uploads.js';

const tags = ['runs'];
const ROWS_RETRY_SECONDS = 60;
/** Default name of a run whose rows came in the request. */
const UNNAMED = 'rows of a request';

/** Creation of runs. The response is sent as soon as the run exists; its rows are enqueued and scored afterwards. */
export function createRunRoutes(app: App, services: Services): void {
  const { pool, guards, submissions, limits } = services;

  app.post(
    '/runs',
    {
      config: { needs: 'submit' },
      schema: {
        tags,
        summary: 'Score the rows of the request',
        body: newRun,
        response: { 202: madeRun },
      },
    },
    async (request, reply) => {
      const { name = UNNAMED, threshold, retain } = request.body;
      const guard = guards.named(request.body.guard);
      const openRows = await requireRoom(request);
      const directory = await uploadDirectory();
      const source = join(directory, 'rows.jsonl');
      await orRemoved(directory, () => writeFile(source, linesOf(request.jsonText ?? '{}')));
      const files = [{ path: source, name: 'rows' }];
      const corpus = { name, reading: {}, threshold, retain };
      return reply.code(202).send(await begin(request, guard, { directory, files, openRows }, corpus));
    },
  );

  app.post(
    '/runs/upload',
    {
      config: { needs: 'submit' },
      schema: {
        tags,
        summary: 'Score files: JSONL, CSV, TSV or Parquet, each perhaps .gz or .zst',
        consumes: ['multipart/form-data'],
        body: uploadForm,
        response: { 202: madeRun },
      },
      // The handler reads the parts one by one.
      validatorCompiler: () => () => true,
    },
    async (request, reply) => {
      const openRows = await requireRoom(request);
      const directory = await uploadDirectory();
      const upload = await orRemoved(directory, async () => {
        const received = await receiveUpload(request, directory, limits);
        return { ...received, guard: guards.named(received.fields.guard) };
      });
      const { fields, files, guard } = upload;
      const { threshold, retain, name = files.map((file) => file.name).join(' ') } = fields;
      const corpus = { name, reading: readingOf(fields), threshold, retain };
      return reply.code(202).send(await begin(request, guard, { directory, files, openRows }, corpus));
    },
  );

  /**
   * Checks disk space and the key's row limit before anything is written.
   * @returns the number of rows in the key's open runs
   * @throws ApiError
   */
  async function requireRoom(request: FastifyRequest): Promise<number> {
    await requireSpace(Number(request.headers['content-length'] ?? 0), limits.diskHeadroomBytes);
    const { keyId } = whoOf(request);
    submissions.requireRoom(keyId ?? undefined);
    const rows = keyId === null ? 0 : await openRowsOf(pool, keyId);
    if (rows < limits.rowsPerKey) return rows;
    throw new ApiError(429, `the open runs of this key have ${rows} rows, and ${limits.rowsPerKey} may be`, {
      hint: 'Wait until one of them is scored, or cancel one.',
      retryAfter: ROWS_RETRY_SECONDS,
    });
  }

  async function begin(
    request: FastifyRequest,
    guard: ServedGuard,
    upload: UploadedFiles,
    corpus: Pick<Submission, 'name' | 'reading' | 'threshold' | 'retain'>,
  ) {
    const ownerKey = whoOf(request).keyId ?? undefined;
    const id = await submissions.start(upload, { ...corpus, guard: guard.open, ownerKey });
    const details = { name: corpus.name, guard: guard.name };
    await audited(pool, request, { action: 'run.create', subject: `run ${id}`, runId: id, details });
    return { id, ...details };
  }
}

/** The rows of a request as raw JSON lines, which `JSON.parse` would alter. */
function linesOf(json: string): string {
  const rows = elementsOf(fieldSource(json, 'rows') ?? '[]');
  // In JSON, line breaks occur only between tokens, so they can be replaced by spaces.
  return rows.map((row) => `${row.replace(/[\r\n]+/g, ' ')}\n`).join('');
}

type Fields = Pick<UploadFields, 'format' | 'shape' | 'delimiter' | 'quote' | 'encoding'> & {
  [Role in keyof typeof DEFAULT_FIELDS as `${Role}Field`]?: string | undefined;
};

function readingOf({ format, shape, delimiter, quote, encoding, ...fields }: Fields): Submission['reading'] {
  const named = (Object.keys(DEFAULT_FIELDS) as (keyof typeof DEFAULT_FIELDS)[]).flatMap((role) => {
    const field = fields[`${role}Field`];
    return field === undefined ? [] : [[role, field] as const];
  });
  return {
    fields: Object.fromEntries(named),
    format,
    shape,
    quote,
    ...(encoding && { encoding }),
    ...(delimiter !== undefined && { delimiter: delimiter === 'tab' ? '\t' : delimiter }),
  };
}

async function orRemoved<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

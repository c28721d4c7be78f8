import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { type EXPORT_FORMATS, exportQuery, runParams } from '@tocsin/contract';
import { isOpen } from '@tocsin/core';
import { writerFor } from '@tocsin/corpus';
import { exportScores } from '@tocsin/pipeline';
import type { Run } from '@tocsin/store';
import { z } from 'zod';
import { audited } from '../access/who.js';
import type { App, Services } from '../app.js';
import { ApiError } from '../http/api-error.js';
import { untilGone } from '../http/connections.js';
import { loggedError } from '../http/log.js';
import { visibleRun } from './run-answer.js';

type Format = (typeof EXPORT_FORMATS)[number];

const TYPE_OF = {
  jsonl: 'application/jsonl',
  csv: 'text/csv; charset=utf-8',
  tsv: 'text/tab-separated-values; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  'openai-batch': 'application/jsonl',
  'openai-batch-errors': 'application/jsonl',
} as const satisfies Record<Format, string>;
const EXTENSION_OF = {
  jsonl: 'jsonl',
  csv: 'csv',
  tsv: 'tsv',
  parquet: 'parquet',
  'openai-batch': 'output.jsonl',
  'openai-batch-errors': 'errors.jsonl',
} as const satisfies Record<Format, string>;
/** Runs from before thresholds were stored have none. */
const DEFAULT_THRESHOLD = 0.5;

interface Wanted {
  run: Run;
  format: Format;
  min: number | undefined;
  threshold: number;
  withText: boolean;
  signal: AbortSignal;
}

/** Exports of the scores. */
export function exportRoutes(app: App, { pool, guards }: Services): void {
  app.get(
    '/runs/:id/export',
    {
      config: { needs: 'read', download: true },
      schema: {
        tags: ['runs'],
        summary: 'The scores of a run that is over, as a file',
        params: runParams,
        querystring: exportQuery,
        response: {
          200: {
            content: Object.fromEntries(Object.values(TYPE_OF).map((type) => [type, { schema: z.any() }])),
          },
        },
      },
    },
    async (request, reply) => {
      const run = await visibleRun(pool, request, request.params.id);
      const { format, min, withText, threshold = run.threshold ?? DEFAULT_THRESHOLD } = request.query;
      if (isOpen(run.state)) {
        throw new ApiError(409, `run ${run.id} is not over, its state is ${run.state}`, {
          hint: 'Wait for it.',
        });
      }
      if (withText && format !== 'jsonl') {
        throw new ApiError(400, 'texts go into JSON Lines only', {
          field: 'withText',
          hint: 'Use format=jsonl.',
        });
      }
      if (withText) {
        const subject = `run ${run.id}, all stored texts`;
        await audited(pool, request, { action: 'text.export', subject, runId: run.id });
      }
      const wanted = { run, format, min, threshold, withText, signal: untilGone(reply) };
      const body = format.startsWith('openai-batch') ? await throughFiles(wanted) : directly(wanted);
      return reply
        .type(TYPE_OF[format])
        .header('content-disposition', `attachment; filename="run-${run.id}.${EXTENSION_OF[format]}"`)
        .send(body);
    },
  );

  /** Streams the export. An error aborts the connection, so that a partial file does not look complete. */
  function directly(wanted: Wanted): Readable {
    const out = new PassThrough();
    const { format } = wanted;
    writerFor('-', format, { stdout: out })
      .then((writer) => exportScores({ pool, runId: wanted.run.id, ...wanted }, writer, wanted.threshold))
      .then(
        () => out.end(),
        (error: unknown) => {
          if (!wanted.signal.aborted) app.log.error(loggedError(error), 'an export failed');
          out.destroy(error instanceof Error ? error : new Error(String(error)));
        },
      );
    return out;
  }

  /** This format has two files; the request selects one. */
  async function throughFiles(wanted: Wanted): Promise<Readable> {
    const directory = await mkdtemp(join(tmpdir(), 'tocsin-export-'));
    const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
    try {
      const path = join(directory, 'scores.jsonl');
      const writer = await writerFor(path, 'openai-batch', { model: modelOf(wanted.run) });
      await exportScores({ pool, runId: wanted.run.id, ...wanted }, writer, wanted.threshold);
      const name = wanted.format === 'openai-batch' ? 'scores.jsonl' : 'scores.errors.jsonl';
      return createReadStream(join(directory, name)).once('close', () => void remove());
    } catch (error) {
      await remove();
      throw error;
    }
  }

  function modelOf({ fingerprint, guard }: Run): string {
    return guards.all.find(({ open }) => open.fingerprint === fingerprint)?.name ?? guard;
  }
}

import { inSeconds } from '@tocsin/contract/openai';
import { type BatchLine, batchLines, OpenaiBatchWriter, type RowWriter } from '@tocsin/corpus';
import type { Pool } from '@tocsin/postgres';
import {
  type BatchEnd,
  type BatchFault,
  type BatchRow,
  beginFile,
  cancelRun,
  changeBatch,
  deleteFile,
  endBatch,
  exportRows,
  type FileRow,
  FileWriter,
  findInput,
  findRun,
  hasUnresolvedItems,
  listPolicies,
  type NewFile,
  noSuchRun,
  readFileChunks,
  runHead,
  type WrittenFile,
} from '@tocsin/store';
import { newId, type ServedGuard } from '../models.js';
import { answerRow, type Unanswered, zipRows } from './answer-rows.js';
import { batchRequests } from './batch-requests.js';

export interface FinalizeBatchOptions {
  pool: Pool;
  guards: readonly ServedGuard[];
}

/**
 * Finalizes a batch whose run has finished, or that was cancelled or has expired: writes an output file and an error file. It
 * reads the requests once more and joins them with the rows of their run, applying the current policies.
 */
export async function finalizeBatch(
  options: FinalizeBatchOptions,
  batch: BatchRow,
  signal: AbortSignal,
): Promise<void> {
  const { pool } = options;
  const { runId, model } = batch;
  if (model === null) {
    await endBatch(pool, batch, { ...NOTHING, state: batch.cancellingAt === null ? 'expired' : 'cancelled' });
    return;
  }
  const input = await findInput(pool, batch.inputFile);
  if (runId === null || input === undefined) {
    const what = runId === null ? 'run' : 'input file';
    const message = `The ${what} of this batch was deleted before its results were written.`;
    return failBatch(pool, batch, [wholeFault('results_lost', message)]);
  }
  await cancelRun(pool, runId);
  const { state, reason } = await runHead(pool, runId);
  // A batch is complete when all its requests have outcomes, errors included.
  if (state === 'failed' && batch.cancellingAt === null && (await hasUnresolvedItems(pool, runId))) {
    return failBatch(pool, batch, [wholeFault('run_failed', reason ?? 'The run has failed.')], batch.total);
  }
  await writeAnswers(options, { batch, runId, model, input }, signal);
}

const NOTHING = { total: 0, completed: 0, failed: 0, output: undefined, errors: undefined } as const;

interface AnsweredBatch {
  batch: BatchRow;
  runId: number;
  /** The guard. */
  model: string;
  input: FileRow;
}

async function writeAnswers(
  { pool, guards }: FinalizeBatchOptions,
  { batch, runId, model, input }: AnsweredBatch,
  signal: AbortSignal,
): Promise<void> {
  const policies = await listPolicies(pool, { archived: true });
  const rules = { guards: await withGuard(pool, guards, model, runId), policies };
  const requests = batchRequests(readFileChunks(pool, input), rules, signal);
  const output = await beginLines(pool, batch, 'output');
  const errors = await beginLines(pool, batch, 'error');
  const answerer = { model, batch: batch.id.replace(/^batch_/, '') };
  const writer = new OpenaiBatchWriter(output, errors, answerer);
  try {
    const unanswered = isExpired(batch) ? 'batch_expired' : 'batch_cancelled';
    let left = 0;
    for await (const texts of zipRows(requests, exportRows(pool, runId, signal))) {
      const rows = texts.map(({ request, row }) => answerRow(request, row, unanswered));
      left += rows.filter(({ answer }) => answer?.fault?.code === unanswered).length;
      await writer.write(rows);
    }
    await writer.finish();
    const { requests: total, failed } = writer.counts;
    const end: BatchEnd = {
      state: stateOf(batch, left, unanswered),
      total,
      completed: total - failed,
      failed,
      output: output.written,
      errors: errors.written,
    };
    const ours = await endBatch(pool, batch, end);
    if (!ours || end.output === undefined) await output.abort();
    if (!ours || end.errors === undefined) await errors.abort();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** The guards of this server, the batch's own first: it may not be served any more. */
async function withGuard(
  pool: Pool,
  guards: readonly ServedGuard[],
  name: string,
  runId: number,
): Promise<ServedGuard[]> {
  const others = guards.filter((guard) => guard.name !== name);
  const served = guards.find((guard) => guard.name === name);
  if (served !== undefined) return [served, ...others];
  const run = await findRun(pool, runId);
  if (run === undefined) throw noSuchRun(runId);
  const { threshold, createdAt } = run;
  if (threshold === null) throw new Error(`run ${runId}, of a batch, has no threshold`);
  return [{ name, threshold, createdAt }, ...others];
}

function beginLines(
  pool: Pool,
  { id, ownerKey, outputExpiresAfter }: BatchRow,
  what: string,
): Promise<FileLines> {
  return FileLines.begin(pool, {
    id: newId('file-'),
    ownerKey,
    filename: `${id}_${what}.jsonl`,
    purpose: 'batch_output',
    expiresAt: outputExpiresAfter === null ? undefined : inSeconds(outputExpiresAfter),
  });
}

/** The batch expired before its run finished. */
function isExpired({ cancellingAt, finalizingAt, expiresAt }: BatchRow): boolean {
  return cancellingAt === null && finalizingAt !== null && finalizingAt >= expiresAt;
}

function stateOf({ cancellingAt }: BatchRow, left: number, unanswered: Unanswered): BatchEnd['state'] {
  if (cancellingAt !== null) return 'cancelled';
  if (left === 0) return 'completed';
  return unanswered === 'batch_expired' ? 'expired' : 'cancelled';
}

/** Writes lines of a batch into a stored file, which the caller must complete. */
class FileLines implements RowWriter<BatchLine> {
  readonly readerGone = false;
  readonly #pool: Pool;
  readonly #writer: FileWriter;

  private constructor(pool: Pool, id: string) {
    this.#pool = pool;
    this.#writer = new FileWriter(pool, id);
  }

  static async begin(pool: Pool, file: NewFile): Promise<FileLines> {
    await beginFile(pool, file);
    return new FileLines(pool, file.id);
  }

  /** The file; undefined when it would be empty. */
  get written(): WrittenFile | undefined {
    const { id, bytes } = this.#writer;
    return bytes === 0 ? undefined : { id, bytes };
  }

  async write(lines: readonly BatchLine[]): Promise<void> {
    if (lines.length > 0) await this.#writer.write(batchLines.rows(lines));
  }

  finish(): Promise<void> {
    return this.#writer.flush();
  }

  async abort(): Promise<void> {
    await deleteFile(this.#pool, this.#writer.id);
  }
}

/** Ends a batch without results. */
export async function failBatch(
  pool: Pool,
  batch: BatchRow,
  errors: BatchFault[],
  requests = 0,
): Promise<void> {
  await changeBatch(pool, batch, { state: 'failed', errors, total: requests, failed: requests });
}

/** The error of a whole batch. */
export function wholeFault(code: string, message: string): BatchFault {
  return { code, message, param: null, line: null };
}

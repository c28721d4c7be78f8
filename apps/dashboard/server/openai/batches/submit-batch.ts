import { Readable } from 'node:stream';
import { isUserError } from '@tocsin/core';
import {
  type BatchFault,
  type BatchRow,
  cancelRun,
  changeBatch,
  type FileRow,
  findInput,
  listPolicies,
  readFileChunks,
} from '@tocsin/store';
import type { OpenaiOptions, ServedModel } from '../models.js';
import { batchRequests, Judge, KEEP, READING, type RequestRow, TooManyRequests } from './batch-requests.js';
import { failBatch, wholeFault } from './finalize-batch.js';

/** Maximum number of errors reported for a file without valid requests. */
const REPORTED_FAULTS = 100;

export type SubmitBatchOptions = Pick<OpenaiOptions, 'pool' | 'guards' | 'submit'>;

/** Submits the requests of a batch as a run. A batch without valid requests fails. */
export async function submitBatch(
  options: SubmitBatchOptions,
  batch: BatchRow,
  signal: AbortSignal,
): Promise<void> {
  const { pool } = options;
  // Left by a process that was killed during submission.
  if (batch.runId !== null) await cancelRun(pool, batch.runId);
  const input = await findInput(pool, batch.inputFile);
  if (input === undefined) {
    return failBatch(pool, batch, [wholeFault('file_not_found', 'The input file is gone.')]);
  }
  const rules = { guards: options.guards, policies: await listPolicies(pool) };
  try {
    const requests = batchRequests(readFileChunks(pool, input), rules, signal);
    const found = await firstModel(requests);
    if ('errors' in found) await failBatch(pool, batch, found.errors, found.requests);
    else await submitTo(options, batch, { input, model: found, judge: new Judge(rules), signal });
  } catch (error) {
    const code = error instanceof TooManyRequests ? 'too_many_tasks' : 'not_submitted';
    // Other errors may succeed when retried.
    if (signal.aborted || !(error instanceof TooManyRequests || isUserError(error))) throw error;
    await failBatch(pool, batch, [wholeFault(code, error.message)]);
  }
}

interface NothingToScore {
  errors: BatchFault[];
  requests: number;
}

/** The guard of the first valid request, or the errors of all requests. */
async function firstModel(pages: AsyncIterable<RequestRow[]>): Promise<ServedModel | NothingToScore> {
  const errors: BatchFault[] = [];
  let requests = 0;
  for await (const page of pages) {
    for (const row of page) {
      if (row.model !== undefined) return row.model;
      if (errors.length < REPORTED_FAULTS) errors.push(faultOf(row));
      requests = row.request;
    }
  }
  if (requests === 0) errors.push(wholeFault('empty_file', 'The file contains no requests.'));
  return { errors, requests };
}

interface ReadBatch {
  input: FileRow;
  /** Of the first request. */
  model: ServedModel;
  judge: Judge;
  signal: AbortSignal;
}

async function submitTo(
  { pool, guards, submit }: SubmitBatchOptions,
  batch: BatchRow,
  { input, model, judge, signal }: ReadBatch,
): Promise<void> {
  const guard = guards.find(({ name }) => name === model.guard.name);
  if (guard === undefined) throw new Error(`the guard ${model.guard.name} is not served`);
  let run: number | undefined;
  await submit({
    guard: guard.open,
    name: input.filename,
    sources: ['-'],
    stdin: Readable.from(readFileChunks(pool, input), { objectMode: false }),
    reading: READING,
    keep: KEEP,
    onRow: (row) => judge.judge(row).row,
    threshold: model.threshold,
    ownerKey: batch.ownerKey ?? undefined,
    onRun: async (runId) => {
      run = runId;
      await changeBatch(pool, batch, { runId, model: guard.name });
    },
    signal,
  });
  const { requests: total, rejected: failed } = judge.counts;
  const started = await changeBatch(pool, batch, { state: 'in_progress', total, failed });
  // The batch was cancelled, or claimed by another process, which has its own run.
  if (started === undefined && run !== undefined) await cancelRun(pool, run);
}

function faultOf({ fault, row }: RequestRow): BatchFault {
  if (fault === undefined) throw new Error(`line ${row.line} has no fault`);
  const { code, message, param } = fault;
  return { code, message, param, line: row.line };
}

import { Readable } from 'node:stream';
import {
  badRequest,
  type CorpusRow,
  noJsonLine,
  noRequest,
  type RequestFault,
  readCorpus,
  readRequestKey,
  rejected,
  storedFault,
} from '@tocsin/corpus';
import {
  findModel,
  type NamedThreshold,
  noSuchModel,
  type ServedGuard,
  type ServedModel,
} from '../models.js';

/** Maximum number of requests: ids are held in memory to detect duplicates. */
const MAX_REQUESTS = 500_000;

/** A text of a request, or a request without one. */
export interface RequestRow {
  row: CorpusRow;
  /** The reason of a reject, in OpenAI's terms. */
  fault?: RequestFault;
  /** The line has no `custom_id`. */
  nameless: boolean;
  /** 1-based. */
  request: number;
  /** The guard and threshold for this item. */
  model?: ServedModel;
}

export interface BatchRules {
  /** The default first. */
  guards: readonly ServedGuard[];
  policies: readonly NamedThreshold[];
  maxRequests?: number;
}

/** The batch has too many requests. */
export class TooManyRequests extends Error {
  constructor(max: number) {
    super(`The file contains more than ${max.toLocaleString('en-US')} requests.`);
    this.name = 'TooManyRequests';
  }
}

/** Reader options that keep what `Judge` needs. */
export const READING = { shape: 'openai-batch', format: 'jsonl' } as const;
export const KEEP = ['body'] as const;

/**
 * Reads a file of moderation requests, a few hundred rows at a time, and validates each (see `Judge`).
 * @throws TooManyRequests
 */
export async function* batchRequests(
  content: AsyncIterable<Buffer>,
  rules: BatchRules,
  signal?: AbortSignal,
): AsyncGenerator<RequestRow[]> {
  const judge = new Judge(rules);
  const stdin = Readable.from(content, { objectMode: false });
  const rows = readCorpus(['-'], { ...READING, keep: KEEP, stdin, signal });
  for await (const chunk of rows) yield chunk.map((row) => judge.judge(row));
}

/**
 * Decides which rows of a file are scored, and with which guard. A batch has one guard: that of its first valid request.
 * Later requests with only a policy, or without a model, use it too; one that names another guard is rejected. The
 * decisions are deterministic.
 */
export class Judge {
  readonly #maxRequests: number;
  #guards: readonly ServedGuard[];
  readonly #policies: readonly NamedThreshold[];
  #guard: ServedGuard | undefined;
  readonly #counts = { requests: 0, rejected: 0 };
  /** Line of the previous request. */
  #line = 0;

  constructor({ guards, policies, maxRequests = MAX_REQUESTS }: BatchRules) {
    this.#guards = guards;
    this.#policies = policies;
    this.#maxRequests = maxRequests;
  }

  /** Requests so far, and how many of them were rejected. */
  get counts(): Readonly<{ requests: number; rejected: number }> {
    return this.#counts;
  }

  /** Takes each row, in order. @throws TooManyRequests */
  judge({ kept, ...row }: CorpusRow): RequestRow {
    const nameless = readRequestKey(row.key).customId === null;
    const isNew = this.#count(row.line);
    const place = { nameless, request: this.#counts.requests };
    const fault = row.kind === 'reject' ? (row.fault ?? noJsonLine(row.reason)) : undefined;
    const model = fault ?? this.#modelOf(kept);
    if ('guard' in model) return { row, model, ...place };
    // Either all texts of a request are scored, or none.
    if (isNew) this.#counts.rejected += 1;
    return reject(row, model, place);
  }

  /** The texts of a request share a line. @returns whether this is the first of them */
  #count(line: number): boolean {
    if (line === this.#line) return false;
    this.#line = line;
    this.#counts.requests += 1;
    if (this.#counts.requests > this.#maxRequests) throw new TooManyRequests(this.#maxRequests);
    return true;
  }

  #modelOf(kept: CorpusRow['kept']): ServedModel | RequestFault {
    const { model: name } = (kept?.body ?? {}) as { model?: unknown };
    if (name !== undefined && name !== null && typeof name !== 'string') {
      return badRequest('The "model" is no string.', 'invalid_type', 'model');
    }
    const model = findModel(name, this.#guards, this.#policies);
    if (model === undefined) {
      return { message: noSuchModel(name ?? ''), status: 404, code: 'model_not_found', param: 'model' };
    }
    if (this.#guard === undefined) {
      const { guard } = model;
      this.#guard = guard;
      this.#guards = [guard, ...this.#guards.filter((other) => other !== guard)];
    }
    if (model.guard === this.#guard) return model;
    return noRequest(
      `The requests of a batch have one guard; this one names another than the first, ${this.#guard.name}.`,
      'model_mismatch',
      'body.model',
    );
  }
}

function reject(
  row: CorpusRow,
  fault: RequestFault,
  place: Pick<RequestRow, 'nameless' | 'request'>,
): RequestRow {
  const reason = { rejectKind: 'request', reason: storedFault(fault) } as const;
  return { row: { ...rejected(row, reason), fault }, fault, ...place };
}

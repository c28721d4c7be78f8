import { noJsonLine, type RequestFault, readRequestKey, readStoredFault } from '../shapes/request.js';
import type { Encoder, RowWriter } from './row-writer.js';
import type { ScoreRow } from './score-format.js';

/** One line of an OpenAI Batch output or error file: a response, or why the request was not processed. */
export interface BatchLine {
  id: string;
  /** Null for a line that has none. */
  custom_id: string | null;
  response: { status_code: number; request_id: string; body: object } | null;
  error: Omit<RequestFault, 'status'> | null;
}

/** The model named in responses. */
interface BatchAnswerer {
  model: string;
  /** Part of the line ids, to make them unique across batches. */
  batch?: string;
}

export const batchLines: Encoder<BatchLine> = {
  header: '',
  rows: (lines) => lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
};

/** The error file of an output: `out.jsonl.gz` -> `out.errors.jsonl.gz`. */
export function batchErrorsPath(path: string): string {
  const [, stem = path, extensions = ''] = /^(.*?)((?:\.[A-Za-z]+)?(?:\.gz)?)$/s.exec(path) ?? [];
  return `${stem}.errors${extensions}`;
}

/**
 * Writes scores in the format of OpenAI's batch output for moderations: one line per request, with one result per item. A
 * request with an unscored item goes to the error file: status 400 when unreadable, 500 when scoring failed, or the
 * status of its own fault.
 */
export class OpenaiBatchWriter implements RowWriter<ScoreRow> {
  readonly #succeeded: RowWriter<BatchLine>;
  readonly #failed: RowWriter<BatchLine>;
  readonly #answerer: BatchAnswerer;
  #items: ScoreRow[] = [];
  /** Requests so far, and failed ones. */
  readonly #counts = { requests: 0, failed: 0 };

  constructor(succeeded: RowWriter<BatchLine>, failed: RowWriter<BatchLine>, answerer: BatchAnswerer) {
    this.#succeeded = succeeded;
    this.#failed = failed;
    this.#answerer = answerer;
  }

  get readerGone(): boolean {
    return this.#succeeded.readerGone;
  }

  /** Requests written so far. */
  get counts(): Readonly<{ requests: number; failed: number }> {
    return this.#counts;
  }

  async write(rows: readonly ScoreRow[]): Promise<void> {
    const lines: { succeeded: BatchLine[]; failed: BatchLine[] } = { succeeded: [], failed: [] };
    for (const row of rows) {
      const { index = 0 } = readRequestKey(row.key);
      // Items of a request are consecutive, in corpus order.
      if (index !== this.#items.length) this.#close(lines);
      this.#items.push(row);
      if (this.#items.length === readRequestKey(row.key).count) this.#close(lines);
    }
    await this.#succeeded.write(lines.succeeded);
    await this.#failed.write(lines.failed);
  }

  async finish(): Promise<void> {
    const lines = { succeeded: [], failed: [] };
    this.#close(lines);
    await this.#succeeded.write(lines.succeeded);
    await this.#failed.write(lines.failed);
    // Errors first, so that they exist when the output appears.
    await this.#failed.finish();
    await this.#succeeded.finish();
  }

  async abort(): Promise<void> {
    await Promise.all([this.#succeeded.abort(), this.#failed.abort()]);
  }

  #close(lines: { succeeded: BatchLine[]; failed: BatchLine[] }): void {
    const items = this.#items;
    const [first] = items;
    if (first === undefined) return;
    this.#items = [];
    this.#counts.requests += 1;
    const failed = items.find(({ error }) => error !== undefined);
    if (failed === undefined) {
      lines.succeeded.push(this.#answered(first, 200, this.#moderation(first, items)));
      return;
    }
    this.#counts.failed += 1;
    const { status, ...fault } = faultOf(failed);
    if (status === null) lines.failed.push({ ...this.#line(first), response: null, error: fault });
    else lines.failed.push(this.#answered(first, status, errorBody(status, fault)));
  }

  #line({ key, answer }: ScoreRow): Pick<BatchLine, 'id' | 'custom_id'> {
    const custom_id = answer?.line === undefined ? readRequestKey(key).customId : null;
    return { id: `batch_req_${this.#place}`, custom_id };
  }

  #answered(row: ScoreRow, status_code: number, body: object): BatchLine {
    const response = { status_code, request_id: `req_${this.#place}`, body };
    return { ...this.#line(row), response, error: null };
  }

  #moderation(first: ScoreRow, items: readonly ScoreRow[]): Moderation {
    const results = items.map(({ score = Number.NaN, threshold = Number.NaN, truncated = false }) =>
      moderationResult({ score, threshold, truncated }),
    );
    return { id: `modr-${this.#place}`, model: first.answer?.model ?? this.#answerer.model, results };
  }

  get #place(): string {
    const { batch } = this.#answerer;
    return batch === undefined ? `${this.#counts.requests}` : `${batch}_${this.#counts.requests}`;
  }
}

function faultOf({ key, answer, error = '', unreadable = false }: ScoreRow): RequestFault {
  if (answer?.fault !== undefined) {
    return { ...answer.fault, message: named(answer.line, answer.fault.message) };
  }
  if (!unreadable) return { message: error, status: 500, param: null, code: 'no_score' };
  const stored = readStoredFault(error);
  if (stored !== undefined) return stored;
  if (readRequestKey(key).customId === null) return noJsonLine(error);
  return { message: error, status: 400, param: 'input', code: 'invalid_value' };
}

const named = (line: number | undefined, message: string): string =>
  line === undefined ? message : `Line ${line}: ${message}`;

function errorBody(status: number, { message, param, code }: Omit<RequestFault, 'status'>): object {
  return {
    error: { message, type: status < 500 ? 'invalid_request_error' : 'server_error', param, code },
  };
}

/** The only category: guards score harm of any kind. */
const CATEGORY = 'harmful';

/** A text's score and the threshold. */
interface ModeratedText {
  score: number;
  threshold: number;
  /** Whether the text was cut at the guard's maximum length. */
  truncated: boolean;
}

/** A moderation result: OpenAI's fields, plus `score`, `threshold` and `truncated`. */
interface ModerationResult extends ModeratedText {
  flagged: boolean;
  categories: { [CATEGORY]: boolean };
  category_scores: { [CATEGORY]: number };
  category_applied_input_types: { [CATEGORY]: ['text'] };
}

/** The response to a moderation request. */
interface Moderation {
  id: string;
  /** The guard or policy. */
  model: string;
  results: ModerationResult[];
}

/** A text's result: flagged when score >= threshold. */
export function moderationResult({ score, threshold, truncated }: ModeratedText): ModerationResult {
  const flagged = score >= threshold;
  return {
    flagged,
    categories: { [CATEGORY]: flagged },
    category_scores: { [CATEGORY]: score },
    category_applied_input_types: { [CATEGORY]: ['text'] },
    score,
    threshold,
    truncated,
  };
}

import type { ScoreRow } from '../score-row.js';
import { readRequestKey } from '../shapes/request-key.js';
import type { Encoder, RowWriter } from './row-writer.js';

/** One line of an OpenAI Batch output or error file. */
interface BatchLine {
  id: string;
  custom_id: string;
  response: { status_code: number; request_id: string; body: object };
  error: null;
}

export const batchLines: Encoder<BatchLine> = {
  header: '',
  rows: (lines) => lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
};

/** The file beside the output that holds the requests which failed: `out.jsonl.gz` -> `out.errors.jsonl.gz`. */
export function batchErrorsPath(path: string): string {
  const [, stem = path, extensions = ''] = /^(.*?)((?:\.[A-Za-z]+)?(?:\.gz)?)$/s.exec(path) ?? [];
  return `${stem}.errors${extensions}`;
}

/**
 * Writes scores as OpenAI writes the output of a batch of moderation requests: the items of one request are one line with a
 * result for each. A request of which an item has no score is a line of the error file: status 400 when it could not be
 * read, 500 when it could not be scored.
 */
export class OpenaiBatchWriter implements RowWriter<ScoreRow> {
  readonly #succeeded: RowWriter<BatchLine>;
  readonly #failed: RowWriter<BatchLine>;
  readonly #model: string;
  #items: ScoreRow[] = [];
  #requests = 0;

  constructor(succeeded: RowWriter<BatchLine>, failed: RowWriter<BatchLine>, model: string) {
    this.#succeeded = succeeded;
    this.#failed = failed;
    this.#model = model;
  }

  get readerGone(): boolean {
    return this.#succeeded.readerGone;
  }

  async write(rows: readonly ScoreRow[]): Promise<void> {
    const lines: { succeeded: BatchLine[]; failed: BatchLine[] } = { succeeded: [], failed: [] };
    for (const row of rows) {
      const { index = 0 } = readRequestKey(row.key);
      // Items of a request follow each other, as the corpus had them.
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
    // Whoever waits for the output finds the errors beside it.
    await this.#failed.finish();
    await this.#succeeded.finish();
  }

  async abort(): Promise<void> {
    await this.#succeeded.abort();
    await this.#failed.abort();
  }

  #close(lines: { succeeded: BatchLine[]; failed: BatchLine[] }): void {
    const items = this.#items;
    const [first] = items;
    if (first === undefined) return;
    this.#items = [];
    this.#requests += 1;
    const fault = items.find(({ error }) => error !== undefined);
    if (fault === undefined) lines.succeeded.push(this.#line(first.key, 200, this.#moderation(items)));
    else lines.failed.push(this.#line(first.key, fault.unreadable === true ? 400 : 500, errorBody(fault)));
  }

  #line(key: string, status: number, body: object): BatchLine {
    const { customId } = readRequestKey(key);
    return {
      id: `batch_req_${this.#requests}`,
      custom_id: customId,
      response: { status_code: status, request_id: `req_${this.#requests}`, body },
      error: null,
    };
  }

  #moderation(items: readonly ScoreRow[]): object {
    return {
      id: `modr-${this.#requests}`,
      model: this.#model,
      results: items.map(({ harmful = false, score }) => ({
        flagged: harmful,
        categories: { harmful },
        category_scores: { harmful: score },
      })),
    };
  }
}

function errorBody({ error, unreadable = false }: ScoreRow): object {
  const type = unreadable ? 'invalid_request_error' : 'server_error';
  return { error: { message: error, type, param: unreadable ? 'input' : null, code: null } };
}

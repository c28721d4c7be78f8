import { setTimeout as sleep } from 'node:timers/promises';
import type OpenAI from 'openai';
import { toFile } from 'openai';
import type { Batch } from 'openai/resources/batches';

/** A request of a batch file. */
export const request = (custom_id: string, body: object = {}, change: object = {}): object => ({
  custom_id,
  method: 'POST',
  url: '/v1/moderations',
  body: { input: `text of ${custom_id}`, ...body },
  ...change,
});

/** A line of an output or error file. */
export interface Line {
  id: string;
  custom_id: string | null;
  response: {
    status_code: number;
    body: OpenAI.ModerationCreateResponse & { error?: { code: string | null } };
  } | null;
  error: { code: string; message: string } | null;
}

const OVER = new Set(['completed', 'failed', 'expired', 'cancelled']);

/** What people do with OpenAI's client to have a file of requests answered. */
export class BatchClient {
  readonly api: OpenAI;

  constructor(api: OpenAI) {
    this.api = api;
  }

  /** @param lines what is no string is written as JSON. @returns the file's id */
  async upload(lines: readonly unknown[]): Promise<string> {
    const texts = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
    const file = await toFile(Buffer.from(texts.join('')), 'requests.jsonl');
    return (await this.api.files.create({ file, purpose: 'batch' })).id;
  }

  /** @returns the batch's id */
  async create(input_file_id: string): Promise<string> {
    const asked = { input_file_id, endpoint: '/v1/moderations', completion_window: '24h' } as const;
    return (await this.api.batches.create(asked)).id;
  }

  async until(id: string, status: Batch['status']): Promise<Batch> {
    for (;;) {
      const batch = await this.api.batches.retrieve(id);
      if (batch.status === status) return batch;
      if (OVER.has(batch.status)) throw new Error(`the batch is ${batch.status}, not ${status}`);
      await sleep(50);
    }
  }

  async untilOver(id: string): Promise<Batch> {
    for (;;) {
      const batch = await this.api.batches.retrieve(id);
      if (OVER.has(batch.status)) return batch;
      await sleep(50);
    }
  }

  async lines(file: string | undefined): Promise<Line[]> {
    const text = await (await this.api.files.content(file ?? '')).text();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  }
}

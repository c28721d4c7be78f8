import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Role } from '@tocsin/core';
import { cacheDirectory, findPip, runCommand, withScratchLock } from '@tocsin/models';
import { createKey } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import OpenAI, { type ClientOptions, toFile } from 'openai';
import type { Batch } from 'openai/resources/batches';
import { goldenGuard, TocsinProcess } from '../setup/tocsin.js';

/** A small guard in a directory, so that its name contains slashes. */
const GUARD = goldenGuard('qwen3-residual');
export const MODEL = GUARD[1] ?? '';

/** The API and a worker as separate processes, and keys. The queue is in Postgres. */
export class OpenaiBed {
  readonly database: TestDatabase;
  readonly #processes = new Set<TocsinProcess>();
  #url = '';
  #api: TocsinProcess | undefined;

  private constructor(database: TestDatabase) {
    this.database = database;
  }

  /** @param env additional environment of the API process */
  static async start(env: NodeJS.ProcessEnv = {}): Promise<OpenaiBed> {
    const bed = new OpenaiBed(await TestDatabase.migrated());
    try {
      await bed.startApi({ env });
      return bed;
    } catch (error) {
      await bed.close();
      throw error;
    }
  }

  /** The latest API process. */
  get api(): TocsinProcess {
    if (this.#api === undefined) throw new Error('no API was started');
    return this.#api;
  }

  /** Base URL for the clients. */
  get baseURL(): string {
    return `${this.#url}/v1`;
  }

  /** Starts an API process that listens. @param options.port default: any free one */
  async startApi({
    port = '0',
    env = {},
  }: {
    port?: string;
    env?: NodeJS.ProcessEnv;
  } = {}): Promise<TocsinProcess> {
    const api = this.#start(['dashboard', ...GUARD, '--port', port, '--threads', '1'], env);
    this.#api = api;
    this.#url = await api.said(/(http:\S+); Ctrl-C/);
    return api;
  }

  /** A worker process. */
  async startWorker(): Promise<TocsinProcess> {
    const worker = this.#start(['work', ...GUARD, '--threads', '1']);
    await worker.said(/worker ready/);
    return worker;
  }

  #start(args: string[], own: NodeJS.ProcessEnv = {}): TocsinProcess {
    const env = { DATABASE_URL: this.database.url, REDIS_URL: undefined, ...own };
    const started = new TocsinProcess(args, { env });
    started.ended.then(() => this.#processes.delete(started));
    this.#processes.add(started);
    return started;
  }

  async newKey(role: Role, name = `${role} of a test`): Promise<string> {
    const { key } = await createKey(this.database.pool, { name, role, createdBy: 'test' });
    return key;
  }

  /** OpenAI's client with its own key. */
  async client(role: Role, options: ClientOptions = {}): Promise<OpenAI> {
    const apiKey = await this.newKey(role);
    return new OpenAI({ baseURL: this.baseURL, apiKey, maxRetries: 0, ...options });
  }

  async close(): Promise<void> {
    const processes = [...this.#processes];
    for (const one of processes) one.kill('SIGKILL');
    await Promise.all(processes.map((one) => one.ended));
    await this.database.close();
  }
}

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

/** Steps with OpenAI's client to process a file of requests. */
export class BatchClient {
  readonly api: OpenAI;

  constructor(api: OpenAI) {
    this.api = api;
  }

  /** @param lines non-strings are written as JSON. @returns the file's id */
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

/** OpenAI's client for Python. */
const REQUIREMENT = 'openai==3.57.0';

/** A Python with OpenAI's client: its command and environment. */
interface PythonClient {
  command: string;
  env: NodeJS.ProcessEnv;
}

/**
 * Installs the client with the machine's pip once, into a cached directory.
 * @throws UserError when there is no pip; Error with pip's output
 */
export async function pythonClient(env: NodeJS.ProcessEnv = process.env): Promise<PythonClient> {
  const pip = await findPip(env);
  // `python3 -m pip`, else a pip executable.
  const command = pip.args.length > 0 ? pip.command : 'python3';
  const { stdout: version } = await runCommand(
    command,
    ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'],
    { env },
  );
  const packages = join(cacheDirectory({ env }), 'test-python', version.trim(), REQUIREMENT);
  if (!existsSync(packages)) {
    await mkdir(dirname(packages), { recursive: true });
    await withScratchLock(`${packages}.lock`, async (scratch) => {
      if (existsSync(packages)) return;
      const target = join(scratch, 'packages');
      const args = ['install', '--no-input', '--disable-pip-version-check', '--progress-bar', 'off'];
      args.push('--only-binary=:all:', '--target', target, REQUIREMENT);
      // Overrides this machine's rules about installation directories.
      const own = { ...env, PIP_REQUIRE_VIRTUALENV: '0', PIP_USER: '0' };
      const result = await runCommand(pip.command, [...pip.args, ...args], { env: own });
      if (result.exitCode !== 0) throw new Error(`pip cannot install ${REQUIREMENT}:\n${result.stderr}`);
      await rename(target, packages);
    });
  }
  return { command, env: { ...env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' } };
}

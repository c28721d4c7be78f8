import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../../apps/tocsin/bin/tocsin.js', import.meta.url));
const POLL_MS = 200;

/** `tocsin start` with the starter guard, a database of its own, and somebody who asks its API. */
export class ShownServer {
  readonly url: string;
  /** Sent with each request once there is one. */
  key: string | undefined;
  readonly #child: ChildProcess;
  readonly #dir: string;

  private constructor(url: string, child: ChildProcess, dir: string) {
    this.url = url;
    this.#child = child;
    this.#dir = dir;
  }

  static async start(): Promise<ShownServer> {
    const dir = await mkdtemp(join(tmpdir(), 'tocsin-pictures-'));
    // As root, the embedded server runs as another user, who has to pass.
    await chmod(dir, 0o755);
    const { DATABASE_URL: _, REDIS_URL: __, ...env } = process.env;
    const args = [COMMAND, 'start', '--guard', 'starter', '--port', '0', '--data-dir', join(dir, 'postgres')];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    return new ShownServer(await urlOf(child), child, dir);
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Uploads a corpus. @returns its run */
  async submit(name: string, jsonl: string): Promise<number> {
    const form = new FormData();
    form.set('retain', 'all');
    form.set('file', new Blob([jsonl]), name);
    const { id } = await this.#ask<{ id: number }>('/runs/upload', { method: 'POST', body: form });
    return id;
  }

  /** Uploads a corpus and waits until it is scored. */
  async scored(name: string, jsonl: string): Promise<void> {
    const id = await this.submit(name, jsonl);
    while ((await this.#ask<{ state: string }>(`/runs/${id}`)).state !== 'done') await sleep(POLL_MS);
  }

  async makeKey(name: string, role: string): Promise<string> {
    return (await this.#post<{ key: string }>('/keys', { name, role })).key;
  }

  /**
   * Judges rows as a person would who mostly agrees with the guard.
   * @param dissent every n-th verdict goes against the score
   */
  async judge(
    key: string,
    rows: number,
    wanted: { run: number; order?: string; second?: boolean },
    dissent: number,
  ): Promise<void> {
    for (let judged = 1; judged <= rows; judged++) {
      const { row } = await this.#post<{ row: { seq: number; score: number } | null }>(
        '/reviews/next',
        wanted,
        key,
      );
      if (row === null) return;
      const harmful = row.score >= 0.5 !== (judged % dissent === 0);
      const verdict = { run: wanted.run, seq: row.seq, verdict: harmful ? 'harmful' : 'fine' };
      await this.#post('/reviews/verdicts', verdict, key);
    }
  }

  #post<T>(path: string, body: unknown, key?: string): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    return this.#ask<T>(path, { method: 'POST', body: JSON.stringify(body), headers }, key);
  }

  async #ask<T>(path: string, init: RequestInit = {}, key = this.key): Promise<T> {
    const headers = { ...init.headers, ...(key !== undefined && { authorization: `Bearer ${key}` }) };
    const response = await fetch(`${this.url}/api${path}`, { ...init, headers });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as T;
  }
}

/** Waits until it says where it listens. */
async function urlOf(child: ChildProcess): Promise<string> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const url = /Serving .* at (\S+);/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`the server ended: ${said}`)));
  });
}

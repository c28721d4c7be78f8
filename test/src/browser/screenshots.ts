import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { findChromium } from '../setup/find-programs.js';
import { randomRows } from '../setup/random-words.js';
import { launchChromium, Visit } from './visit.js';

const COMMAND = fileURLToPath(new URL('../../../apps/tocsin/bin/tocsin.js', import.meta.url));
const POLL_MS = 200;

/** `tocsin start` with the starter guard, a new database, and a client of its API. */
class ShownServer {
  readonly url: string;
  /** Sent with each request once it exists. */
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
    // As root, the embedded server runs as another user, which needs access.
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
   * Reviews rows like a person who mostly agrees with the guard.
   * @param dissent every n-th verdict contradicts the score
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

/** Waits for its address in the log. */
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

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PICTURES = join(ROOT, 'docs', 'pictures');
const NARROW = { width: 390, height: 800 };
const JUDGED = { uncertain: 150, random: 60 };
const SECOND_OPINIONS = 40;
/** Machines that take screenshots may have few fonts. */
const LATIN = /^[\p{Script=Latin}\p{N}\p{P}\p{Zs}]+$/u;

/** `npm run screenshots`: screenshots for the docs, from a server with the starter guard and the samples. */
async function main(): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  const browser = await launchChromium(await findChromium());
  const server = await ShownServer.start();
  try {
    const key = await prepare(server);
    await takeAll(browser, server, key);
  } finally {
    await server.stop();
    await browser.close();
  }
}

/** Two nights of messages, reviewed by two people, and a third in progress. @returns the key of one of the reviewers */
async function prepare(server: ShownServer): Promise<string> {
  const samples = latin(await readFile(join(ROOT, 'samples', 'corpus.jsonl'), 'utf8'));
  const calm = (rows: number, seed: number): string =>
    randomRows(rows, 14, seed)
      .map((row) => JSON.stringify(row))
      .join('\n');
  await server.scored('messages, Sunday.jsonl', samples.slice(0, 100).join('\n'));
  await server.scored('messages, Monday.jsonl', `${samples.join('\n')}\n${calm(150, 2)}`);
  const mara = await server.makeKey('mara', 'admin');
  server.key = mara;
  const jo = await server.makeKey('jo', 'review');
  await server.judge(mara, JUDGED.uncertain, { run: 2, order: 'uncertain' }, 9);
  await server.judge(mara, JUDGED.random, { run: 2, order: 'random' }, 9);
  await server.judge(jo, SECOND_OPINIONS, { run: 2, second: true }, 7);
  await server.submit('messages, Tuesday.jsonl', calm(3000, 3));
  return mara;
}

function latin(jsonl: string): string[] {
  return jsonl.split('\n').filter((line) => {
    const { id: _, ...row } = JSON.parse(line || '{}') as Record<string, string>;
    const texts = Object.values(row);
    return texts.length > 0 && texts.every((text) => LATIN.test(text));
  });
}

interface Picture {
  name: string;
  path: string;
  /** Text that shows that the screen has loaded. */
  until: string;
  look?: BrowserContextOptions;
  act?: (page: Page) => Promise<unknown>;
}

const PICTURES_TO_TAKE: readonly Picture[] = [
  { name: 'runs', path: '/', until: '.run-progress', act: (page) => page.getByText('left').waitFor() },
  { name: 'run', path: '/runs/2', until: '.item-line', act: nearestFirst },
  {
    name: 'run-dark',
    path: '/runs/2?threshold=0.35',
    until: '.item-line',
    look: { colorScheme: 'dark' },
    act: nearestFirst,
  },
  { name: 'run-narrow', path: '/runs/2', until: '.item-line', look: { viewport: NARROW }, act: nearestFirst },
  { name: 'review', path: '/review/2', until: '.heat' },
  { name: 'summary', path: '/review/2?tab=summary', until: '.curves path' },
  {
    name: 'policies',
    path: '/policies',
    until: 'section.panel',
    act: async (page) => {
      const policy = page.getByRole('region', { name: 'Policy default' });
      await policy.getByRole('button', { name: 'Move the threshold' }).click();
      await policy.getByLabel('Preview on run').selectOption('2');
      await policy.getByRole('slider').press('PageDown');
      await policy.locator('.examples').waitFor();
    },
  },
];

/** Screenshots are public, so they show borderline rows instead of the worst ones. */
async function nearestFirst(page: Page): Promise<void> {
  await page.getByLabel('Order').selectOption('score_asc');
}

async function takeAll(browser: Browser, { url }: ShownServer, key: string): Promise<void> {
  for (const { name, path, until, look, act } of PICTURES_TO_TAKE) {
    const visit = await Visit.begin(browser, url, { locale: 'en-GB', reducedMotion: 'reduce', ...look });
    const { page } = visit;
    await visit.context.request.post('/api/session', { data: { key } });
    await page.goto(path);
    await page.locator(until).first().waitFor();
    await act?.(page);
    // Wait for requests that follow a moment later, such as exact counts.
    await page.waitForLoadState('networkidle').catch(() => undefined);
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(PICTURES, `${name}.png`) });
    await visit.end();
    console.log(`docs/pictures/${name}.png`);
    if (visit.troubles.length > 0) throw new Error(`${name}: ${visit.troubles.join('; ')}`);
  }
}

await main();

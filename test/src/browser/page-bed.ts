import { TestDatabase } from '@tocsin/store/testing';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { until } from '../setup/processes.js';
import { foundProgram } from '../setup/provided.js';
import { goldenGuard, TocsinProcess } from '../setup/tocsin.js';
import { launchChromium, Visit } from './visit.js';

const GUARD = 'qwen3-residual';

/** A database, `tocsin start` on it with a worker and the dashboard, and a browser. */
export class PageBed {
  readonly database: TestDatabase;
  readonly url: string;
  readonly #server: TocsinProcess;
  readonly #browser: Browser;

  private constructor(database: TestDatabase, url: string, server: TocsinProcess, browser: Browser) {
    this.database = database;
    this.url = url;
    this.#server = server;
    this.#browser = browser;
  }

  static async open(): Promise<PageBed> {
    const browser = await startChromium();
    const database = await TestDatabase.empty();
    const server = new TocsinProcess(['start', ...goldenGuard(GUARD), '--threads', '1', '--port', '0'], {
      env: { DATABASE_URL: database.url, REDIS_URL: undefined },
    });
    const url = await server.said(/Serving .* at (\S+);/);
    return new PageBed(database, url, server, browser);
  }

  visit(options?: BrowserContextOptions): Promise<Visit> {
    return Visit.begin(this.#browser, this.url, options);
  }

  /** Uploads rows as the page does, and waits until they are scored. @returns the run */
  async scored(rows: readonly unknown[], name = 'messages.jsonl', key?: string): Promise<number> {
    const form = new FormData();
    form.set('retain', 'all');
    form.set('file', new Blob(rows.map((row) => `${JSON.stringify(row)}\n`)), name);
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(`${this.url}/api/runs/upload`, { method: 'POST', body: form, headers });
    if (!response.ok) throw new Error(await response.text());
    const { id } = (await response.json()) as { id: number };
    await until(async () => {
      const [run] = await this.ask<{ state: string }>('select state from runs where id = $1', [id]);
      return run?.state === 'done' ? true : undefined;
    });
    return id;
  }

  async ask<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.database.pool.query<T>(sql, values)).rows;
  }

  /** Rows of a run with at least this score. */
  async flagged(run: number, threshold: number): Promise<number> {
    const [counted] = await this.ask<{ rows: number }>(
      `select count(*)::int as rows from items i
       join runs r on r.id = i.run_id
       join scores s on s.guard_id = r.guard_id and s.content = i.content
       where i.run_id = $1 and s.score >= $2`,
      [run, threshold],
    );
    return counted?.rows ?? 0;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.kill('SIGTERM');
    await this.#server.ended;
    await this.database.close();
  }
}

/** A browser for a test. */
async function startChromium(): Promise<Browser> {
  return launchChromium(foundProgram('chromium'));
}

const GRAVE = ['serious', 'critical'];

/**
 * Accessibility violations that axe finds on a page, one per line.
 * @param rules default: all of them
 */
export async function axeFindings(page: Page, rules?: readonly string[]): Promise<string[]> {
  // Injected through the debugger, because the page's Content-Security-Policy allows no other scripts.
  await page.evaluate(axe.source);
  const options = { resultTypes: ['violations'], runOnly: rules };
  const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(document, ${JSON.stringify(options)})`);
  return violations
    .filter(({ impact }) => GRAVE.includes(impact ?? ''))
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
    );
}

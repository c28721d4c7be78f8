import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openGuard } from '@tocsin/engine';
import { createKey } from '@tocsin/store';
import { until } from '../setup/processes.js';
import { randomRows } from '../setup/random-words.js';
import { openStage } from './express-stage.js';
import { line, quantile, seconds, section, times } from './report.js';

const COMMAND = fileURLToPath(new URL('../../../apps/tocsin/bin/tocsin.js', import.meta.url));
const REQUESTS = 200;
const TEXTS = 256;
const WORDS = 12;
/** How long the other key goes on asking once the flood's last request is answered. */
const AFTER_MS = 5_000;
/** Between two texts of the other key, and between two looks at /healthz. */
const PAUSE_MS = 100;
/** A client that has no answer by then counts as unanswered. */
const PATIENCE_MS = 240_000;

interface Answer {
  /** HTTP; undefined when none came. */
  status: number | undefined;
  /** Asked to answered. */
  ms: number;
}

/**
 * One key sends 200 requests of 256 texts at once, while another key asks for single texts: how long the other one and
 * the health check wait, during the flood and for five seconds after it.
 */
export async function benchFlood(dir: string): Promise<void> {
  const guard = await openGuard('starter');
  const stage = await openStage('redis', guard, dir);
  const api = spawn(process.execPath, [COMMAND, 'dashboard', '--guard', 'starter', '--port', '0'], {
    env: { ...process.env, DATABASE_URL: stage.databaseUrl, REDIS_URL: stage.backend.url },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const origin = await urlOf(api);
    const [flooding = '', other = ''] = await Promise.all(
      ['flooding', 'other'].map(
        async (name) => (await createKey(stage.pool, { name, role: 'submit', createdBy: 'bench' })).key,
      ),
    );
    const texts = randomRows(REQUESTS * TEXTS, WORDS, 11).map(({ text }) => text);
    const singles = randomRows(4_000, WORDS, 12).map(({ text }) => `single ${text}`);
    const single = async (): Promise<Answer> => {
      const text = singles.pop();
      if (text === undefined) throw new Error('there are no more single texts');
      return send(`${origin}/api/score`, other, { text });
    };
    section(
      `Flood: ${REQUESTS} requests of ${TEXTS} texts at once from one key, ${guard.ref}, queue on redis`,
    );
    const quiet: number[] = [];
    for (let i = 0; i < 10; i++) quiet.push((await single()).ms);

    stage.passes.length = 0;
    const started = performance.now();
    let endedAt = Number.POSITIVE_INFINITY;
    const during: Answer[] = [];
    const after: Answer[] = [];
    const health: Answer[] = [];
    const over = (): boolean => performance.now() > endedAt + AFTER_MS;
    const flood = Promise.all(
      Array.from({ length: REQUESTS }, (_, i) => {
        const items = texts.slice(i * TEXTS, (i + 1) * TEXTS).map((text) => ({ text }));
        return send(`${origin}/api/score`, flooding, { items });
      }),
    ).finally(() => {
      endedAt = performance.now();
    });
    const asking = (async () => {
      while (!over()) {
        const asked = performance.now();
        (asked > endedAt ? after : during).push(await single());
        await sleep(PAUSE_MS);
      }
    })();
    const looking = (async () => {
      while (!over()) {
        health.push(await send(`${origin}/healthz`, undefined));
        await sleep(PAUSE_MS);
      }
    })();
    const answers = await flood;
    await Promise.all([asking, looking]);

    line('answers to the flood', counted(answers));
    line('answered with 429 within, p50 / max', spread(answers.filter(({ status }) => status === 429)));
    line('the flood lasted', seconds(endedAt - started));
    line('single text of another key before it, p50', `${quantile(quiet, 0.5).toFixed(0)} ms`);
    line('... during it, p50 / p99', spread(during, 0.99));
    line(`... in the ${AFTER_MS / 1000} s after it, p50 / p99`, spread(after, 0.99));
    const unanswered = [...during, ...after].filter(({ status }) => status !== 200);
    line('... without a score', `${unanswered.length} of ${during.length + after.length}`);
    // Passes of single texts alone, before and after the flood, are not what the flood makes anybody wait for.
    const passes = stage.passes.filter(({ rows }) => rows > 1);
    if (during.length > 0 && passes.length > 0) {
      const passMs = quantile(
        passes.map(({ runMs }) => runMs),
        0.5,
      );
      const tokens = quantile(
        passes.map((pass) => pass.tokens),
        0.5,
      );
      line('forward pass during it, p50', `${seconds(passMs)}, ${tokens} tokens`);
      const inPasses = (share: number): string =>
        times(
          quantile(
            during.map(({ ms }) => ms),
            share,
          ) / passMs,
          2,
        );
      line('single text during it, in passes, p50 / p99', `${inPasses(0.5)} / ${inPasses(0.99)}`);
    }
    line('/healthz, p50 / max', spread(health));
  } finally {
    agent.destroy();
    const ended = once(api, 'exit');
    if (api.exitCode === null && api.kill('SIGTERM')) {
      const late = setTimeout(() => api.kill('SIGKILL'), 30_000);
      await ended;
      clearTimeout(late);
    }
    await stage.close();
  }
}

/** E.g. `180 x 429, 20 x 200`. */
function counted(answers: readonly Answer[]): string {
  const counts = new Map<string, number>();
  for (const { status } of answers) {
    const name = String(status ?? 'no answer');
    counts.set(name, 1 + (counts.get(name) ?? 0));
  }
  return [...counts].map(([name, count]) => `${count} x ${name}`).join(', ');
}

function spread(answers: readonly Answer[], high = 1): string {
  if (answers.length === 0) return '-';
  const all = answers.map(({ ms }) => ms);
  return `${seconds(quantile(all, 0.5))} / ${seconds(quantile(all, high))}`;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1_000 });

/** GET, or POST of a body. */
function send(url: string, key: string | undefined, body?: object): Promise<Answer> {
  const sent = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers = {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(sent === undefined ? {} : { 'content-type': 'application/json', 'content-length': sent.length }),
  };
  const started = performance.now();
  return new Promise((resolve) => {
    const ended = (status: number | undefined): void => resolve({ status, ms: performance.now() - started });
    const method = sent === undefined ? 'GET' : 'POST';
    const asked = request(url, { agent, method, headers, timeout: PATIENCE_MS });
    asked
      .once('error', () => ended(undefined))
      .once('timeout', () => asked.destroy())
      .once('response', (answer) => {
        answer.resume().once('end', () => ended(answer.statusCode));
      })
      .end(sent);
  });
}

async function urlOf(api: ChildProcess): Promise<string> {
  let said = '';
  api.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-10_000);
  });
  return until(() => {
    if (api.exitCode !== null) throw new Error(`the API has ended:\n${said}`);
    return /(http:\S+); Ctrl-C/.exec(said)?.[1];
  });
}

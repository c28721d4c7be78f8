import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createDashboard } from '@tocsin/dashboard';
import { openGuard } from '@tocsin/engine';
import { createKey } from '@tocsin/store';
import { Telemetry } from '@tocsin/telemetry';
import OpenAI from 'openai';
import { pino } from 'pino';
import { until } from '../setup/processes.js';
import { TOKENS, textsOf } from './express.js';
import { type ExpressStage, openStage } from './express-stage.js';
import { line, millis, quantile, section } from './report.js';

const WARM_UP = 5;
const TEXTS = 60;
const VERSION = 'bench';

/** Single texts over HTTP on an idle worker: the overhead of the API over the forward pass. */
export async function benchApi(dir: string): Promise<void> {
  const guard = await openGuard('starter');
  for (const kind of ['redis', 'postgres'] as const) {
    const stage = await openStage(kind, guard, dir);
    const { pool, backend } = stage;
    const telemetry = await Telemetry.start({ role: 'dashboard', version: VERSION });
    const app = await createDashboard({
      pool,
      backend,
      telemetry,
      version: VERSION,
      log: pino({ level: 'silent' }),
      guards: [{ guard }],
      schedules: {
        corpusRoots: [],
        allowPrivateWebhooks: false,
      },
    });
    try {
      const origin = await app.listen({ host: '127.0.0.1', port: 0 });
      const { key } = await createKey(pool, { name: 'bench', role: 'submit', createdBy: 'bench' });
      section(`API: one text of ${TOKENS} tokens on an idle worker, ${guard.ref}, queue on ${kind}`);
      const ask = (path: string, body: object): Promise<void> => post(`${origin}${path}`, key, body);
      await bench(stage, await textsOf(guard, 3 * (WARM_UP + TEXTS), `${kind} api`), {
        'no API (express)': (text) => stage.asker.score([text]),
        'POST /v1/moderations': (input) => ask('/v1/moderations', { input }),
        'POST /api/score': (text) => ask('/api/score', { text }),
      });
    } finally {
      agent.destroy();
      await app.close();
      await telemetry.close();
      await stage.close();
    }
  }
}

/** Over a keep-alive connection with a minimal client, whose own cost is not measured. */
const agent = new Agent({ keepAlive: true });

function post(url: string, key: string, body: object): Promise<void> {
  const sent = Buffer.from(JSON.stringify(body));
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'content-length': sent.length,
  };
  return new Promise((resolve, reject) => {
    request(url, { agent, method: 'POST', headers })
      .once('error', reject)
      .once('response', (answer) => {
        answer.resume().once('end', () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`${url} answered ${answer.statusCode}`));
        });
      })
      .end(sent);
  });
}

/** Alternating, so that other load affects all of them equally. */
async function bench(
  { passes }: ExpressStage,
  texts: readonly string[],
  ways: Record<string, (text: string) => Promise<unknown>>,
): Promise<void> {
  const names = Object.keys(ways);
  const overheads: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  const bare: number[] = [];
  for (const [i, text] of texts.entries()) {
    const name = names[i % names.length] ?? '';
    passes.length = 0;
    const started = performance.now();
    await ways[name]?.(text);
    const elapsed = performance.now() - started;
    const { runMs } = await until(() => passes[0]);
    if (i < names.length * WARM_UP) continue;
    bare.push(runMs);
    overheads[name]?.push(elapsed - runMs);
  }
  line('forward pass in the engine process, p50', millis(quantile(bare, 0.5)));
  for (const [name, values] of Object.entries(overheads)) {
    line(`${name}, over it: p50`, millis(quantile(values, 0.5)), '<= 10 ms');
    line(
      `${name}, over it: p10 / p99`,
      `${millis(quantile(values, 0.1))} / ${millis(quantile(values, 0.99))}`,
    );
  }
}

const COMMAND = fileURLToPath(new URL('../../../apps/tocsin/bin/tocsin.js', import.meta.url));
const CLIENT_WARM_UP = 10;

/** `POST /v1/moderations` with OpenAI's client, compared with the forward pass as measured in the worker. */
export async function benchModerations(dir: string): Promise<void> {
  const guard = await openGuard('starter');
  const stage = await openStage('redis', guard, dir);
  const api = spawn(process.execPath, [COMMAND, 'dashboard', '--guard', 'starter', '--port', '0'], {
    env: { ...process.env, DATABASE_URL: stage.databaseUrl, REDIS_URL: stage.backend.url },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const baseURL = `${await urlOf(api)}/v1`;
    const { key } = await createKey(stage.pool, { name: 'bench', role: 'submit', createdBy: 'bench' });
    const client = new OpenAI({ baseURL, apiKey: key });
    section(
      `POST /v1/moderations: one text of ${TOKENS} tokens on an idle worker, ${guard.ref}, queue on redis`,
    );
    const overheads: number[] = [];
    for (const [i, input] of (await textsOf(guard, CLIENT_WARM_UP + TEXTS, 'http')).entries()) {
      stage.passes.length = 0;
      const started = performance.now();
      await client.moderations.create({ input });
      const elapsed = performance.now() - started;
      // Of the same pass, so that other load affects both.
      const { runMs } = await until(() => stage.passes[0]);
      if (i >= CLIENT_WARM_UP) overheads.push(elapsed - runMs);
    }
    line('asked to answered, over the forward pass: p50', millis(quantile(overheads, 0.5)), '<= 10 ms');
    line('the same: p10 / p99', `${millis(quantile(overheads, 0.1))} / ${millis(quantile(overheads, 0.99))}`);
  } finally {
    const ended = once(api, 'exit');
    if (api.exitCode === null && api.kill('SIGTERM')) await ended;
    await stage.close();
  }
}

/** The address of an API process, from its log. */
export async function urlOf(api: ChildProcess): Promise<string> {
  let said = '';
  api.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-10_000);
  });
  return until(() => {
    if (api.exitCode !== null) throw new Error(`the API has ended:\n${said}`);
    return /(http:\S+); Ctrl-C/.exec(said)?.[1];
  });
}

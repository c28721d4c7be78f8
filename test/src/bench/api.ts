import { Agent, request } from 'node:http';
import { createDashboard } from '@tocsin/dashboard';
import { openGuard } from '@tocsin/engine';
import { createKey } from '@tocsin/store';
import { Telemetry } from '@tocsin/telemetry';
import { pino } from 'pino';
import { until } from '../setup/processes.js';
import { TOKENS, textsOf } from './express.js';
import { type ExpressStage, openStage } from './express-stage.js';
import { line, quantile, section } from './report.js';

const WARM_UP = 5;
const TEXTS = 60;
const VERSION = 'bench';

/** Single texts over HTTP, on an idle worker: what the API costs over the forward pass. */
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

/** Over a connection that is kept, with as little client as there can be: it is not what is measured. */
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

/** Each way in turn, so that whatever else the machine does is in all of them. */
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
  line('forward pass in the engine process, p50', ms(quantile(bare, 0.5)));
  for (const [name, values] of Object.entries(overheads)) {
    line(`${name}, over it: p50`, ms(quantile(values, 0.5)), '<= 10 ms');
    line(`${name}, over it: p10 / p99`, `${ms(quantile(values, 0.1))} / ${ms(quantile(values, 0.99))}`);
  }
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;

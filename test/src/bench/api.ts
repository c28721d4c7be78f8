import { createDashboard } from '@tocsin/dashboard';
import { plainSubmit } from '@tocsin/dashboard/testing';
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
      ...{ pool, backend, telemetry, version: VERSION },
      log: pino({ level: 'silent' }),
      guards: [{ guard }],
      submit: plainSubmit(pool, backend),
      schedules: {
        write: (scheduled) => scheduled,
        read: (request) => request as { corpus: string[]; guard: string },
        corpusRoots: [],
        allowPrivateWebhooks: false,
      },
    });
    try {
      const origin = await app.listen({ host: '127.0.0.1', port: 0 });
      const { key } = await createKey(pool, { name: 'bench', role: 'submit', createdBy: 'bench' });
      section(`API: one text of ${TOKENS} tokens on an idle worker, ${guard.ref}, queue on ${kind}`);
      const ask = (path: string, body: object): Promise<Response> =>
        fetch(`${origin}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
      const [moderations, scores] = [
        await textsOf(guard, WARM_UP + TEXTS, `${kind} moderations`),
        await textsOf(guard, WARM_UP + TEXTS, `${kind} score`),
      ];
      await bench(stage, 'POST /v1/moderations', moderations, (input) => ask('/v1/moderations', { input }));
      await bench(stage, 'POST /api/score', scores, (text) => ask('/api/score', { text }));
    } finally {
      await app.close();
      await telemetry.close();
      await stage.close();
    }
  }
}

async function bench(
  { passes }: ExpressStage,
  name: string,
  texts: readonly string[],
  ask: (text: string) => Promise<Response>,
): Promise<void> {
  const overheads: number[] = [];
  const bare: number[] = [];
  for (const [i, text] of texts.entries()) {
    passes.length = 0;
    const started = performance.now();
    const answer = await ask(text);
    await answer.arrayBuffer();
    const elapsed = performance.now() - started;
    if (answer.status !== 200) throw new Error(`${name} answered ${answer.status}`);
    // Of the same pass: what else the machine does to it is in both.
    const { runMs } = await until(() => passes[0]);
    if (i < WARM_UP) continue;
    bare.push(runMs);
    overheads.push(elapsed - runMs);
  }
  line(`${name}, forward pass, p50`, ms(quantile(bare, 0.5)));
  line(`${name}, over it: p50`, ms(quantile(overheads, 0.5)), '<= 10 ms');
  line(`${name}, over it: p10 / p99`, `${ms(quantile(overheads, 0.1))} / ${ms(quantile(overheads, 0.99))}`);
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;

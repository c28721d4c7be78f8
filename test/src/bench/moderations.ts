import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openGuard } from '@tocsin/engine';
import { createKey } from '@tocsin/store';
import OpenAI from 'openai';
import { until } from '../setup/processes.js';
import { TOKENS, textsOf } from './express.js';
import { openStage } from './express-stage.js';
import { line, quantile, section } from './report.js';

const COMMAND = fileURLToPath(new URL('../../../apps/tocsin/bin/tocsin.js', import.meta.url));
const WARM_UP = 10;
const TEXTS = 60;

/** `POST /v1/moderations` by OpenAI's client, over a forward pass that was measured where it ran. */
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
    for (const [i, input] of (await textsOf(guard, WARM_UP + TEXTS, 'http')).entries()) {
      stage.passes.length = 0;
      const started = performance.now();
      await client.moderations.create({ input });
      const elapsed = performance.now() - started;
      // Of the same pass: what else the machine does to it is in both.
      const { runMs } = await until(() => stage.passes[0]);
      if (i >= WARM_UP) overheads.push(elapsed - runMs);
    }
    line('asked to answered, over the forward pass: p50', ms(quantile(overheads, 0.5)), '<= 10 ms');
    line('the same: p10 / p99', `${ms(quantile(overheads, 0.1))} / ${ms(quantile(overheads, 0.99))}`);
  } finally {
    const ended = once(api, 'exit');
    if (api.exitCode === null && api.kill('SIGTERM')) await ended;
    await stage.close();
  }
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;

async function urlOf(api: ChildProcess): Promise<string> {
  let said = '';
  api.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return until(() => {
    if (api.exitCode !== null) throw new Error(`the API has ended:\n${said}`);
    return /(http:\S+); Ctrl-C/.exec(said)?.[1];
  });
}

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openGuard } from '@tocsin/engine';
import { createKey } from '@tocsin/store';
import { randomRows } from '../setup/random-words.js';
import { urlOf } from './api.js';
import { type ExpressStage, openStage } from './express-stage.js';
import { type Answer, closeConnections, REQUESTS, send, TEXTS } from './flood-requests.js';
import type { FloodMessage } from './flood-sender.js';
import { line, quantile, seconds, section, times } from './report.js';

const COMMAND = fileURLToPath(new URL('../../../apps/tocsin/bin/tocsin.js', import.meta.url));
const SENDER = fileURLToPath(new URL('./flood-sender.js', import.meta.url));
/** Single texts to measure during floods; floods are repeated until there are enough. */
const SINGLES = 30;
const MOST_FLOODS = 10;
/** How long the other key continues after the flood's last response. */
const AFTER_MS = 5_000;
/** Interval between two texts of the other key, and between two requests of /healthz. */
const PAUSE_MS = 100;

/**
 * Loaded into the API's process: answers each message with the longest turn of its event loop since the last message,
 * in wall-clock time and without the time in which other processes used its core (Linux reports that for the main
 * thread).
 */
const LOOP_WATCH = `
  import { readFileSync } from 'node:fs';
  const stat = '/proc/' + process.pid + '/task/' + process.pid + '/schedstat';
  const waited = () => {
    try {
      return Number(readFileSync(stat, 'utf8').split(' ')[1]) / 1e6;
    } catch {
      return 0;
    }
  };
  let longest = { clockMs: 0, ownMs: 0 };
  let before = { at: performance.now(), waited: waited() };
  setInterval(() => {
    const now = { at: performance.now(), waited: waited() };
    const clockMs = now.at - before.at;
    const ownMs = clockMs - (now.waited - before.waited);
    longest = { clockMs: Math.max(longest.clockMs, clockMs), ownMs: Math.max(longest.ownMs, ownMs) };
    before = now;
  }, 5).unref();
  process.on('message', () => {
    process.send(longest);
    longest = { clockMs: 0, ownMs: 0 };
  });
  process.channel.unref();`;

/**
 * One key sends 200 requests of 256 texts at once while another key requests single texts: measures how long the other
 * key and the health check wait, during the flood and for five seconds after it.
 */
export async function benchFlood(dir: string): Promise<void> {
  const guard = await openGuard('starter');
  const stage = await openStage('redis', guard, dir);
  const watch = `data:text/javascript,${encodeURIComponent(LOOP_WATCH)}`;
  const api = spawn(
    process.execPath,
    ['--import', watch, COMMAND, 'dashboard', '--guard', 'starter', '--port', '0'],
    {
      env: { ...process.env, DATABASE_URL: stage.databaseUrl, REDIS_URL: stage.backend.url },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  );
  try {
    section(
      `Flood: ${REQUESTS} requests of ${TEXTS} texts at once from one key, ${guard.ref}, queue on redis`,
    );
    report(stage, await measure(stage, api));
  } finally {
    closeConnections();
    const ended = once(api, 'exit');
    if (api.exitCode === null && api.kill('SIGTERM')) {
      const late = setTimeout(() => api.kill('SIGKILL'), 30_000);
      await ended;
      clearTimeout(late);
    }
    await stage.close();
  }
}

interface Measured {
  /** To each flood, in order. */
  floods: Answer[][];
  floodMs: number;
  quiet: Answer[];
  during: Answer[];
  after: Answer[];
  health: Answer[];
  /** Of the API's event loop, during floods. */
  longest: LongestTurn;
}

async function measure(stage: ExpressStage, api: ChildProcess): Promise<Measured> {
  const origin = await urlOf(api);
  const [flooding = '', other = ''] = await Promise.all(
    ['flooding', 'other'].map(
      async (name) => (await createKey(stage.pool, { name, role: 'submit', createdBy: 'bench' })).key,
    ),
  );
  const singles = randomRows(4_000, 12, 12).map(({ text }) => `single ${text}`);
  const single = async (): Promise<Answer> => {
    const text = singles.pop();
    if (text === undefined) throw new Error('there are no more single texts');
    return send(`${origin}/api/score`, other, { text });
  };
  const quiet: Answer[] = [];
  for (let i = 0; i < 10; i++) quiet.push(await single());

  const sender = fork(SENDER, [origin, flooding]);
  try {
    stage.passes.length = 0;
    await longestTurn(api);
    const started = performance.now();
    let endedAt = Number.POSITIVE_INFINITY;
    const during: Answer[] = [];
    const after: Answer[] = [];
    const health: Answer[] = [];
    const over = (): boolean => performance.now() > endedAt + AFTER_MS;
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
    const floods: Answer[][] = [];
    while (floods.length < MOST_FLOODS && during.length < SINGLES) {
      sender.send(100 + floods.length);
      const [{ answers }] = (await once(sender, 'message')) as [FloodMessage];
      floods.push(answers);
    }
    endedAt = performance.now();
    const longest = await longestTurn(api);
    await Promise.all([asking, looking]);
    return { floods, floodMs: endedAt - started, quiet, during, after, health, longest };
  } finally {
    sender.disconnect();
  }
}

function report(stage: ExpressStage, measured: Measured): void {
  const { floods, floodMs, quiet, during, after, health, longest } = measured;
  const answers = floods.flat();
  line('floods, one after another', `${floods.length} in ${seconds(floodMs)}`);
  line('answers to them', counted(answers));
  line('answered with 429 within, p50 / max', spread(answers.filter(({ status }) => status === 429)));
  line("longest turn of the API's event loop", `${longest.clockMs.toFixed(0)} ms`);
  line("... without other processes' turns", `${longest.ownMs.toFixed(0)} ms`, '< 200 ms');
  line('single text of another key before, p50 / max', spread(quiet));
  line(`... during, ${during.length} texts, p50 / p99`, spread(during, 0.99));
  line(`... in the ${AFTER_MS / 1000} s after, p50 / p99`, spread(after, 0.99));
  const unanswered = [...during, ...after].filter(({ status }) => status !== 200);
  line('... without a score', `${unanswered.length} of ${during.length + after.length}`);
  // Passes of single texts only, before and after the flood, add no wait caused by it.
  const passes = stage.passes.filter(({ rows }) => rows > 1);
  if (during.length > 0 && passes.length > 0) {
    const median = (values: number[]): number => quantile(values, 0.5);
    const passMs = median(passes.map(({ runMs }) => runMs));
    const tokens = median(passes.map((pass) => pass.tokens));
    line('forward pass during, p50', `${seconds(passMs)}, ${tokens} tokens`);
    const waits = during.map(({ ms }) => ms / passMs);
    const inPasses = (share: number): string => times(quantile(waits, share), 2);
    line('single text during, in passes, p50 / p99', `${inPasses(0.5)} / ${inPasses(0.99)}`);
  }
  line('/healthz, p50 / max', spread(health));
}

interface LongestTurn {
  clockMs: number;
  ownMs: number;
}

/** Since the last call. */
async function longestTurn(api: ChildProcess): Promise<LongestTurn> {
  api.send('longest turn');
  const [longest] = (await once(api, 'message')) as [LongestTurn];
  return longest;
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

import { setTimeout as sleep } from 'node:timers/promises';
import type { CorpusRow } from '@tocsin/corpus';
import { type OpenGuard, openGuard, type Pass, Preparation } from '@tocsin/engine';
import { submitCorpus } from '@tocsin/pipeline';
import { ParcelQueue, type QueueBackend, queueNameOf } from '@tocsin/queue';
import { cancelRun, createRun } from '@tocsin/store';
import { until } from '../setup/processes.js';
import { benchCorpus, randomFrom } from './corpus.js';
import { type ExpressStage, openStage } from './express-stage.js';
import { line, millis, percent, quantile, section, times } from './report.js';

const WARM_UP = 5;
const IDLE_TEXTS = 60;
export const TOKENS = 32;
/** More texts than are requested beside bulk. */
const BESIDE_TEXTS = 250;

/** Latency of single interactive texts: on an idle worker, and beside bulk. */
export async function benchExpress(dir: string): Promise<void> {
  const guard = await openGuard('starter');
  for (const kind of ['redis', 'postgres'] as const) {
    const stage = await openStage(kind, guard, dir);
    try {
      await benchIdle(kind, guard, stage);
      if (kind === 'redis') await benchBesideBulk(guard, stage, await textsOf(guard, BESIDE_TEXTS, 'bulk'));
    } finally {
      await stage.close();
    }
  }
}

async function benchIdle(
  kind: QueueBackend['kind'],
  guard: OpenGuard,
  { asker, passes }: ExpressStage,
): Promise<void> {
  section(`Express: one text of ${TOKENS} tokens on an idle worker, ${guard.ref}, queue on ${kind}`);
  const overheads: number[] = [];
  const bare: number[] = [];
  for (const [i, text] of (await textsOf(guard, WARM_UP + IDLE_TEXTS, kind)).entries()) {
    passes.length = 0;
    const started = performance.now();
    await asker.score([text]);
    const elapsed = performance.now() - started;
    // Of the same pass, so that other load affects both.
    const { runMs } = await until(() => passes[0]);
    if (i < WARM_UP) continue;
    bare.push(runMs);
    overheads.push(elapsed - runMs);
  }
  line('forward pass in the engine process, p50', millis(quantile(bare, 0.5)));
  line('asked to answered, over it: p50', millis(quantile(overheads, 0.5)), '<= 10 ms');
  line(
    'asked to answered, over it: p10 / p99',
    `${millis(quantile(overheads, 0.1))} / ${millis(quantile(overheads, 0.99))}`,
  );
}

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];

/** New texts of exactly this many tokens. */
export async function textsOf(guard: OpenGuard, count: number, seed: string): Promise<string[]> {
  const random = randomFrom([...seed].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7));
  const preparation = await Preparation.open(guard);
  const tokensOf = async (text: string): Promise<number> => {
    const [content] = await preparation.contentsOf([text]);
    if (content === undefined || content instanceof Error) throw new Error(`no content of ${text}`);
    return content.tokenIds.length;
  };
  const found = new Set<string>();
  while (found.size < count) {
    let text = '';
    while ((await tokensOf(text)) < TOKENS) {
      const letters = LETTERS[Math.floor(random() * LETTERS.length)];
      text = random() < 0.5 ? `${text} ${letters}` : `${text}${letters}`;
    }
    if ((await tokensOf(text)) === TOKENS) found.add(text);
  }
  return [...found];
}

/** More than the worker scores during the measurement. */
const BULK_ROWS = 6000;
/** Alternates bulk alone and bulk with express, because other load on the machine varies. */
const ROUNDS = 3;
const WINDOW_MS = 25_000;

/** Single texts while the worker is busy with bulk. */
async function benchBesideBulk(
  guard: OpenGuard,
  { pool, backend, registered, asker, passes }: ExpressStage,
  texts: string[],
): Promise<void> {
  section(
    `Express beside bulk: a single text every bulk pass on average, ${guard.ref}, queue on ${backend.kind}`,
  );
  const runId = await createRun(pool, registered.id, 'bench');
  const queue = new ParcelQueue(backend, queueNameOf(registered.queue));
  const preparation = await Preparation.open(guard);
  await submitCorpus(bulkRows(), { pool, queue, preparation, runId, guardId: registered.id });
  passes.length = 0;
  await until(() => (passes.length >= 2 ? true : undefined));

  const random = randomFrom(3);
  const alone: number[] = [];
  const beside: number[] = [];
  const latencies: number[] = [];
  const bulkMs: number[] = [];
  const expressPasses: Pass[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(await bulkRate(passes, () => sleep(WINDOW_MS)));
    const everyMs = quantile(bulkPasses(passes), 0.5);
    beside.push(
      await bulkRate(passes, async () => {
        const asked = await askFor(WINDOW_MS, everyMs, random, async () => {
          const started = performance.now();
          await asker.score([texts.pop() ?? `text ${started}`], { timeoutMs: 60_000 });
          latencies.push(performance.now() - started);
        });
        await Promise.all(asked);
      }),
    );
    bulkMs.push(...bulkPasses(passes));
    expressPasses.push(...passes.filter(({ lane }) => lane === 'express'));
  }
  await cancelRun(pool, runId);
  await queue.close();

  const pass = quantile(bulkMs, 0.5);
  line('bulk forward pass, p50', `${pass.toFixed(0)} ms`);
  line('express texts / forward passes', `${latencies.length} / ${expressPasses.length}`);
  const inPasses = (share: number): string => times(quantile(latencies, share) / pass, 2);
  line('express latency in bulk passes, p50', inPasses(0.5), '<= 1.5 x');
  line('express latency in bulk passes, p99', inPasses(0.99), '<= 3 x');
  line('bulk tokens/s beside express, of alone', percent(quantile(beside, 0.5) / quantile(alone, 0.5)));
}

/** Milliseconds of each bulk pass. */
const bulkPasses = (passes: Pass[]): number[] =>
  passes.flatMap(({ lane, runMs }) => (lane === 'bulk' ? runMs : []));

/** Bulk tokens per second during `work`; its passes are left in `passes`. */
async function bulkRate(passes: Pass[], work: () => Promise<unknown>): Promise<number> {
  passes.length = 0;
  const started = performance.now();
  await work();
  const elapsed = performance.now() - started;
  const tokens = passes.reduce((sum, { lane, tokens }) => sum + (lane === 'bulk' ? tokens : 0), 0);
  return (1000 * tokens) / elapsed;
}

/** Calls `ask` at random times with the given mean interval and duration, whether or not earlier calls have ended. */
async function askFor(
  forMs: number,
  everyMs: number,
  random: () => number,
  ask: () => Promise<void>,
): Promise<Promise<void>[]> {
  const asked: Promise<void>[] = [];
  for (const end = performance.now() + forMs; performance.now() < end; ) {
    asked.push(ask());
    await sleep(-Math.log(1 - random()) * everyMs);
  }
  return asked;
}

async function* bulkRows(): AsyncGenerator<CorpusRow[]> {
  const rows = await benchCorpus(undefined, BULK_ROWS);
  yield rows.map(({ id, text }, i) => ({
    kind: 'item',
    seq: i + 1,
    key: id,
    file: 'bench',
    line: i + 1,
    content: { text },
  }));
}

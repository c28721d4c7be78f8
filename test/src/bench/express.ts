import { type OpenGuard, openGuard, Preparation } from '@tocsin/engine';
import type { QueueBackend } from '@tocsin/queue';
import { until } from '../setup/processes.js';
import { randomFrom } from './corpus.js';
import { benchBesideBulk } from './express-beside-bulk.js';
import { type ExpressStage, openStage } from './express-stage.js';
import { line, quantile, section } from './report.js';

const WARM_UP = 5;
const IDLE_TEXTS = 60;
export const TOKENS = 32;
/** More than are asked for beside bulk. */
const BESIDE_TEXTS = 250;

/** Single texts that somebody waits for: on an idle worker, and beside bulk. */
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
    // Of the same pass: what else the machine does to it is in both.
    const { runMs } = await until(() => passes[0]);
    if (i < WARM_UP) continue;
    bare.push(runMs);
    overheads.push(elapsed - runMs);
  }
  line('forward pass in the engine process, p50', ms(quantile(bare, 0.5)));
  line('asked to answered, over it: p50', ms(quantile(overheads, 0.5)), '<= 10 ms');
  line(
    'asked to answered, over it: p10 / p99',
    `${ms(quantile(overheads, 0.1))} / ${ms(quantile(overheads, 0.99))}`,
  );
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];

/** Texts that the store does not know, of exactly so many tokens. */
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

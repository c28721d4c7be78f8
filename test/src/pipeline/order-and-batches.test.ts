import type { CorpusRow } from '@tocsin/corpus';
import { type CostModel, type OpenGuard, openGuard, Preparation, Scorer } from '@tocsin/engine';
import { submitCorpus, Worker } from '@tocsin/pipeline';
import { ParcelQueue, prepareBackend, type QueueBackend, queueNameOf } from '@tocsin/queue';
import { goldenCases, goldenDirs } from '@tocsin/siren/testing';
import { createRun, exportRows, registerGuard, runProgress } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { scratchDir } from '../setup/provided.js';
import { randomRows, shuffled } from '../setup/random-words.js';

const GUARD = 'llama-residual';
const TOLERANCE = 1e-6;

/** Each row alone. */
const ONE_ROW_A_BATCH: CostModel = { budgetTokens: 1, overheadMs: 0, tokenMs: 1, cellMs: 1 };
/** A full parcel of rows in one pass, whatever the padding. */
const FULL_BATCHES: CostModel = { budgetTokens: 4096, overheadMs: 1000, tokenMs: 1, cellMs: 0 };

let guard: OpenGuard;
let preparation: Preparation;
beforeAll(async () => {
  const { artifact, backbone } = goldenDirs(GUARD);
  guard = await openGuard(artifact, { backbone, cacheDir: scratchDir() });
  preparation = await Preparation.open(guard);
});

const open: { close(): Promise<unknown> }[] = [];
afterAll(async () => {
  for (const each of open.toReversed()) await each.close();
});

const CORPUS = [
  ...goldenCases(GUARD).map(({ input }, i) => ({
    id: `case-${i}`,
    content: { text: input.text ?? `${input.prompt}` },
  })),
  ...randomRows(400, 40).map(({ id, text }) => ({ id, content: { text } })),
];

async function* asRows(corpus: typeof CORPUS): AsyncGenerator<CorpusRow[]> {
  yield corpus.map(({ id, content }, i) => ({
    kind: 'item',
    seq: i + 1,
    key: id,
    file: '-',
    line: i + 1,
    content,
  }));
}

/** Producer, queue, worker and store on a new database. */
async function scoreAll(corpus: typeof CORPUS, costModel: CostModel) {
  const database = await TestDatabase.migrated();
  open.push(database);
  const { pool, url } = database;
  const backend: QueueBackend = { kind: 'postgres', url };
  await prepareBackend(backend);
  const { id: guardId, queue: uuid } = await registerGuard(pool, guard.fingerprint, GUARD);
  const runId = await createRun(pool, guardId, 'test');
  const queue = new ParcelQueue(backend, queueNameOf(uuid));
  open.push(queue);
  await submitCorpus(asRows(corpus), { pool, queue, preparation, runId, guardId });

  const scorer = await Scorer.start(guard, { costModel });
  let failure: Error | undefined;
  const onFailure = (error: Error): void => {
    failure = error;
  };
  const worker = new Worker({ pool, backend, queue: uuid, scorer, onFailure });
  await until(async () => {
    if (failure !== undefined) throw failure;
    return (await runProgress(pool, runId)).parcelsWaiting === 0 ? true : undefined;
  });
  await worker.close();
  await scorer.close();

  const scores = new Map<string, number | null>();
  for await (const page of exportRows(pool, runId)) for (const row of page) scores.set(row.key, row.score);
  return { scores, passes: scorer.counts.passes };
}

test('a text has the same score in whatever order, parcel, batch and padding it comes', async () => {
  const alone = await scoreAll(CORPUS, ONE_ROW_A_BATCH);
  const together = await scoreAll(shuffled(CORPUS), FULL_BATCHES);
  expect(together.passes).toBeLessThan(alone.passes / 5);

  expect(alone.scores.size).toBe(CORPUS.length);
  const far = [...alone.scores].filter(
    ([key, score]) =>
      score === null || !(Math.abs((together.scores.get(key) ?? Number.NaN) - score) <= TOLERANCE),
  );
  expect(far).toEqual([]);
});

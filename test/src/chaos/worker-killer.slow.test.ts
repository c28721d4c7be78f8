import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { POISON } from '../setup/poisoned-backbone.js';
import { scratchDir } from '../setup/provided.js';
import { randomRows } from '../setup/random-words.js';
import { readScores, writeJsonl } from '../setup/tocsin.js';
import { Stage } from './stage.js';

let stage: Stage;
beforeAll(async () => {
  const redis = inject('redis');
  if ('missing' in redis) throw new Error(redis.missing);
  stage = await Stage.set({ dir: scratchDir(), redis: redis.program });
});
afterAll(() => stage.close());

test('a row that kills the worker process again and again ends in an error, and costs no other row', async () => {
  const dir = scratchDir();
  // In one parcel; and the other parcels that the worker holds.
  const few = [
    { id: 'killer', text: `bread and tea${POISON}` },
    ...['window', 'music', 'garden'].map((word) => ({ id: word, text: `bread and ${word}` })),
  ];
  const corpus = await writeJsonl(join(dir, 'corpus.jsonl'), [...randomRows(200, 20), ...few]);
  const fewRows = await writeJsonl(join(dir, 'few.jsonl'), few);
  const undisturbed = join(dir, 'undisturbed.jsonl');
  expect(await stage.score([corpus], undisturbed)).toMatchObject({ exitCode: 0 });
  expect(await stage.start(['submit', fewRows, ...stage.guard]).ended).toMatchObject({ exitCode: 0 });

  const out = join(dir, 'scores.jsonl');
  const args = ['score', corpus, ...stage.guard, '--threads', '1', '-o', out];
  const { exitCode, stderr } = await stage.start(args, stage.killedBy('worker-killer')).ended;
  expect(exitCode, stderr).toBe(2);
  const expected = new Map(
    (await readScores(undisturbed)).map(({ key, score }) => [key, score ?? Number.NaN]),
  );
  const scores = await readScores(out);
  expect(scores).toHaveLength(expected.size);
  for (const { key, score, error } of scores) {
    if (key === 'killer')
      expect(error).toBe('the worker process died 3 times while it scored this row alone');
    else expect({ key, score }).toEqual({ key, score: expect.closeTo(expected.get(key) ?? Number.NaN, 6) });
  }
  // Its parcel of four, then its half, then alone. How often it failed before quarantine depends on when leases
  // expired.
  const deaths = stderr.match(/The worker process died \(signal SIGKILL\); starting another/g);
  expect(deaths?.length).toBeGreaterThanOrEqual(2 + 3);
});

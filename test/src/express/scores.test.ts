import { join } from 'node:path';
import { Guard } from '@tocsin/engine';
import { goldenDirs } from '@tocsin/siren/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { BACKENDS } from '../queue/backends.js';
import { until } from '../setup/processes.js';
import { randomRows } from '../setup/random-words.js';
import { ExpressBed, GUARD, logged } from './express-bed.js';

const TEXTS = randomRows(48, 20, 5).map(({ text }) => text);

describe.each(BACKENDS)('on %s', (kind) => {
  let bed: ExpressBed;
  beforeAll(async () => {
    bed = await ExpressBed.start(kind);
  });
  afterAll(() => bed.close());

  test('single texts have the scores of the library, share parcels and passes, and are known afterwards', async () => {
    const { asker } = bed;
    const guard = await Guard.fromPretrained(goldenDirs(GUARD).artifact, {
      backbone: goldenDirs(GUARD).backbone,
      cacheDir: join(inject('scratch'), 'cache'),
    });
    const expected = await guard.scoreBatch(TEXTS);
    await guard.close();
    const { worker, engine } = await bed.startWorker();

    // Requests that wait for the engine share passes, regardless of their timing.
    process.kill(engine, 'SIGSTOP');
    const asked = Promise.all(TEXTS.map((text) => asker.score([text])));
    await until(async () => {
      const contents = (await bed.parcels()).reduce((sum, parcel) => sum + parcel.contents, 0);
      return contents === TEXTS.length ? true : undefined;
    });
    process.kill(engine, 'SIGCONT');
    const outcomes = (await asked).flat();
    for (const [i, { score = Number.NaN }] of outcomes.entries()) {
      expect(Math.abs(score - (expected[i]?.score ?? 0))).toBeLessThanOrEqual(1e-6);
      expect(outcomes[i]).toMatchObject({ known: false, truncated: false });
    }
    const again = await asker.score(TEXTS);
    expect(again).toEqual(outcomes.map((outcome) => ({ ...outcome, known: true })));
    expect(bed.answers).toEqual([...TEXTS.map(() => 'scored'), ...TEXTS.map(() => 'known')]);

    const parcels = await bed.parcels();
    expect(parcels.reduce((sum, { contents }) => sum + contents, 0)).toBe(TEXTS.length);
    // The exact number depends on load, but they do share passes.
    expect(parcels.length).toBeLessThan(TEXTS.length / 2);
    worker.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ exitCode: 0 });
    // 7 to 9 were observed. A pass holds 1,024 tokens before calibration: rows may be left over from two parcels
    // together.
    expect(logged(worker, 'worker drained')[0]?.passes).toBeLessThan(TEXTS.length / 2);
  });

  test('many texts of one request share passes', async () => {
    const { worker } = await bed.startWorker();
    const outcomes = await bed.asker.score(TEXTS.map((text) => `all at once: ${text}`));
    for (const { score } of outcomes) expect(score).toBeTypeOf('number');
    worker.kill('SIGTERM');
    await worker.ended;
    // A parcel may be cut between different lengths, so there can be more passes than parcels, but far fewer than
    // texts.
    expect(logged(worker, 'worker drained')[0]?.passes).toBeLessThan(TEXTS.length / 2);
  });

  test('an item that this guard cannot score is refused, and costs no other', async () => {
    const [first = ''] = TEXTS;
    bed.answers.length = 0;
    const outcomes = await bed.asker.score([first, { messages: [{ role: 'user', content: 'tea' }] }]);
    expect(outcomes).toEqual([
      expect.objectContaining({ known: true }),
      { error: expect.stringContaining('a content guard scores texts') as string, refused: true },
    ]);
    expect(bed.answers.toSorted()).toEqual(['known', 'refused']);
  });

  test('without a worker the wait ends, and nothing is left to be scored', async () => {
    const { asker, answers } = bed;
    answers.length = 0;
    await expect(asker.score(['nobody is there'], { timeoutMs: 300 })).rejects.toThrow(
      'no score within 0.3 s',
    );
    const gone = new AbortController();
    const asked = asker.score(['and nobody waits'], { signal: gone.signal });
    setTimeout(() => gone.abort(new Error('gone home')), 200);
    await expect(asked).rejects.toThrow('gone home');
    expect(answers).toEqual(['timeout', 'left']);
    const waiting = async () => (await bed.parcels()).filter(({ state }) => state !== 'done');
    await expect.poll(waiting).toEqual([1, 1].map((contents) => ({ contents, state: 'cancelled' })));
    await expect(asker.score(['x'], { timeoutMs: 61_000 })).rejects.toThrow('timeoutMs must be');
  });
});

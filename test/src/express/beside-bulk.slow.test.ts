import { expect, test } from 'vitest';
import { LongRun, undisturbed } from '../kill/long-run.js';
import { BACKENDS } from '../queue/backends.js';
import { LESS_THAN_A_WORKER_STORES } from '../setup/parcel-gate.js';
import { until } from '../setup/processes.js';
import { randomRows } from '../setup/random-words.js';
import { readScores, type ScoreLine } from '../setup/tocsin.js';
import { ExpressBed } from './express-bed.js';

const MINUTE = 60_000;
const TEXTS = randomRows(4000, 12, 9).map(({ text }) => `asked ${text}`);

async function expectUndisturbed(run: LongRun): Promise<void> {
  const expected = await undisturbed();
  const scores = await readScores(run.out);
  expect(scores.map(({ key }) => key)).toEqual(expected.map(({ key }) => key));
  const far = (line: ScoreLine, i: number): boolean =>
    !(Math.abs((line.score ?? Number.NaN) - (expected[i]?.score ?? 0)) <= 1e-6);
  expect(scores.filter(far)).toEqual([]);
}

/** Requests one text after another until it is stopped. */
function askOnAndOn(bed: ExpressBed): { asked(): number; stop(): Promise<void> } {
  let over = false;
  let asked = 0;
  const asking = (async () => {
    while (!over) {
      const [outcome] = await bed.asker.score([TEXTS[asked++ % TEXTS.length] ?? '']);
      expect(outcome?.score).toBeTypeOf('number');
    }
  })();
  // Awaited below; an earlier failure fails the test there.
  asking.catch(() => undefined);
  return {
    asked: () => asked,
    stop: () => {
      over = true;
      return asking;
    },
  };
}

test.each(BACKENDS)(
  'on %s, single texts come before bulk, and bulk comes to its end beside them',
  async (kind) => {
    await undisturbed();
    const bed = await ExpressBed.start(kind);
    try {
      const run = await LongRun.prepare(bed.env);
      const { command } = await run.startAndWait(LESS_THAN_A_WORKER_STORES);
      const [outcome] = await bed.asker.score(TEXTS.slice(-1));
      expect(outcome?.score).toBeTypeOf('number');
      const { rows } = await bed.database.pool.query<{ waiting: number }>(
        `select count(*) as waiting from parcels where state = 'waiting' and run_id is not null`,
      );
      expect(rows[0]?.waiting).toBeGreaterThan(0);

      const askers = [1, 2, 3].map(() => askOnAndOn(bed));
      await until(() => (askers.every(({ asked }) => asked() > 3) ? true : undefined));
      await run.release();
      expect(await command.ended).toMatchObject({ exitCode: 0 });
      // The command's own worker has drained; another one answers the remaining requests.
      await bed.startWorker();
      for (const asker of askers) await asker.stop();
      await expectUndisturbed(run);
    } finally {
      await bed.close();
    }
  },
);

test.each(['worker', 'engine', 'redis'] as const)(
  'the %s killed while single texts are waited for: each has its score, and so has every row of bulk',
  async (victim) => {
    await undisturbed();
    const bed = await ExpressBed.start('redis');
    try {
      const run = await LongRun.prepare(bed.env);
      const { command, worker, engine } = await run.startAndWait(LESS_THAN_A_WORKER_STORES);
      const asked = TEXTS.slice(0, 40).map((text) => bed.asker.score([text], { timeoutMs: MINUTE }));
      await until(async () => ((await bed.parcels()).length > 0 ? true : undefined));
      if (victim === 'redis') {
        await bed.redis?.kill();
        await bed.redis?.startAgain();
      } else process.kill({ worker, engine }[victim], 'SIGKILL');
      await run.release();
      const answers = Promise.all(asked);
      // Awaited below; an earlier failure fails the test there.
      answers.catch(() => undefined);
      expect(await command.ended).toMatchObject({ exitCode: 0 });
      // The killed worker's express leases may expire after its bulk leases, when the command's own worker has already
      // drained: another one answers the remaining requests.
      await bed.startWorker();
      for (const [outcome] of await answers) expect(outcome?.score).toBeTypeOf('number');
      await expectUndisturbed(run);
    } finally {
      await bed.close();
    }
  },
);

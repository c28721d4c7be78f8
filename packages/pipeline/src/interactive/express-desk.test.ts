import { setMaxListeners } from 'node:events';
import type { Content } from '@tocsin/engine';
import { expressQueueNameOf, ParcelWorker, prepareBackend } from '@tocsin/queue';
import {
  completeParcel,
  createRun,
  leaseParcel,
  type RegisteredGuard,
  registerGuard,
  submitWindow,
} from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { ExpressDesk } from './express-desk.js';

/** The worker of these tests never scores this content. */
const POISON = 99;
const NEVER = new AbortController().signal;

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.withQueue(prepareBackend);
});
afterAll(() => database.close());

let guards = 0;
let guard: RegisteredGuard;
let desk: ExpressDesk;
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  guard = await registerGuard(database.pool, `express ${++guards}`, 'test');
  desk = await openDesk();
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function openDesk(): Promise<ExpressDesk> {
  const options = { pool: database.pool, backend: database.backend, guard, onError: () => {} };
  const opened = await ExpressDesk.open(options);
  closers.push(() => opened.close());
  return opened;
}

const contentOf = (number: number): Content => ({
  hash: Buffer.alloc(32, `content ${number}.`),
  tokenIds: Int32Array.of(number, 7),
  truncated: false,
});
const ask = (number: number, signal = NEVER, at = desk) => at.ask(contentOf(number), signal);
const fresh = (number: number) => ({ score: number / 128, known: false });

/**
 * Scores interactive parcels by their first tokens.
 * @param onParcel called with each scored parcel and the first token of its first content
 * @returns the first tokens of each parcel, in scoring order
 */
function startWorker(concurrency = 8, onParcel: (first: number) => void = () => {}): number[][] {
  const parcels: number[][] = [];
  const { pool } = database;
  const worker = new ParcelWorker(
    database.backend,
    expressQueueNameOf(guard.queue),
    async (id) => {
      const parcel = await leaseParcel(pool, id);
      if (parcel === undefined) return;
      const numbers = parcel.tokenIds.map(([number = 0]) => number);
      parcels.push(numbers.toSorted((a, b) => a - b));
      const outcomes = parcel.hashes.map((hash, i) => {
        const number = numbers[i] ?? 0;
        return number === POISON
          ? { hash, tokens: 1, score: null, error: 'no number' }
          : { hash, tokens: 1, score: number / 128, error: null };
      });
      onParcel(numbers[0] ?? 0);
      await completeParcel(pool, id, outcomes);
    },
    { concurrency },
  );
  closers.push(() => worker.close());
  return parcels;
}

async function parcelStates(): Promise<string[]> {
  const { rows } = await database.pool.query<{ state: string }>(
    'select state from parcels where guard_id = $1 order by id',
    [guard.id],
  );
  return rows.map(({ state }) => state);
}

test('what is asked for at once shares a parcel, and what is asked for twice is in it once', async () => {
  const parcels = startWorker();
  const results = await Promise.all([3, 1, 2, 1, 3].map((number) => ask(number)));
  expect(results).toEqual([3, 1, 2, 1, 3].map(fresh));
  expect(parcels).toEqual([[1, 2, 3]]);
});

test('what has a score is answered without a parcel', async () => {
  const parcels = startWorker();
  expect(await ask(5)).toEqual(fresh(5));
  expect(await ask(5)).toEqual({ score: 5 / 128, known: true });
  expect(parcels).toEqual([[5]]);
});

test('a content that cannot be scored has its error, for a while without another try; its neighbours have scores', async () => {
  const parcels = startWorker();
  const results = await Promise.all([POISON, 4].map((number) => ask(number)));
  expect(results).toEqual([{ error: 'no number' }, fresh(4)]);
  expect(await ask(POISON)).toEqual({ error: 'no number' });
  expect(parcels).toEqual([[4, POISON]]);

  await database.pool.query(`update parcels set finished_at = finished_at - interval '1 hour'`);
  expect(await ask(POISON)).toEqual({ error: 'no number' });
  expect(parcels).toEqual([[4, POISON], [POISON]]);
});

test('a content that another process waits for is in no second parcel', async () => {
  const other = await openDesk();
  const first = ask(6, NEVER, other);
  await expect.poll(parcelStates).toEqual(['waiting']);
  const second = ask(6);
  const parcels = startWorker();
  expect(await Promise.all([first, second])).toEqual([fresh(6), fresh(6)]);
  expect(parcels).toEqual([[6]]);
});

test('when the process that asked first gives up, the other one asks', async () => {
  const other = await openDesk();
  const leaving = new AbortController();
  const first = ask(6, leaving.signal, other);
  await expect.poll(parcelStates).toEqual(['waiting']);
  const second = ask(6);
  leaving.abort(new Error('gone home'));
  await expect(first).rejects.toThrow('gone home');
  await expect.poll(parcelStates).toEqual(['cancelled', 'waiting']);
  startWorker();
  expect(await second).toMatchObject({ score: 6 / 128 });
});

test("a content that waits in a run's parcel does not wait with it", async () => {
  const { pool } = database;
  const runId = await createRun(pool, guard.id, 'test');
  const { hash, tokenIds } = contentOf(8);
  await submitWindow(pool, {
    runId,
    guardId: guard.id,
    afterRows: 0,
    items: [{ seq: 1, key: 'a', content: hash, truncated: false, reject: null }],
    parcels: [{ hashes: [hash], tokenIds: [tokenIds] }],
    stranded: [],
    counts: { fresh: 1, known: 0, duplicates: 0, rejected: 0 },
  });
  startWorker();
  expect(await ask(8)).toEqual(fresh(8));
  expect(await parcelStates()).toEqual(['waiting', 'done']);
});

test('the last asker who leaves cancels the parcel, one of two does not', async () => {
  const leaving = [new AbortController(), new AbortController()];
  const asked = leaving.map(({ signal }) => ask(2, signal));
  const gone = asked.map((each) => expect(each).rejects.toThrow('gone home'));
  await expect.poll(parcelStates).toEqual(['waiting']);
  leaving[0]?.abort(new Error('gone home'));
  await gone[0];
  expect(await parcelStates()).toEqual(['waiting']);
  leaving[1]?.abort(new Error('gone home'));
  await gone[1];
  await expect.poll(parcelStates).toEqual(['cancelled']);
  await expect(ask(3, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
});

/** Contents with this many tokens each, distinct for each `from`. */
const longContents = (from: number, count: number, tokens: number): Content[] =>
  Array.from({ length: count }, (_, i) => {
    const tokenIds = new Int32Array(tokens).fill(1);
    tokenIds[0] = from;
    return { hash: Buffer.alloc(32, `long ${from} ${i}.`), tokenIds, truncated: false };
  });

/** Requests all of them at once; `leave` aborts the requests. */
function askAll(contents: Content[], client: string) {
  const leaving = new AbortController();
  setMaxListeners(0, leaving.signal);
  const asked = contents.map((content) => desk.ask(content, leaving.signal, client));
  const answers = Promise.allSettled(asked);
  return { answers, leave: () => leaving.abort(new Error('gone home')) };
}

test.each([150, 1_500])(
  '%i contents that are given up are withdrawn with a few statements',
  async (count) => {
    const { pool } = database;
    const { answers, leave } = askAll(longContents(count, count, 16), 'a');
    const parcels = Math.ceil((count * 16) / 512);
    await expect.poll(parcelStates).toHaveLength(parcels);
    const jobs = async (): Promise<number> => {
      const { rows } = await pool.query('select from tocsin_queue.job where queue = $1', [
        expressQueueNameOf(guard.queue),
      ]);
      return rows.length;
    };
    await expect.poll(jobs).toBe(parcels);
    const statements: string[] = [];
    const query = pool.query.bind(pool);
    const spy = vi.spyOn(pool, 'query').mockImplementation(((...asked: Parameters<typeof query>) => {
      const [first] = asked as unknown[];
      statements.push(typeof first === 'string' ? first : (first as { text: string }).text);
      return query(...asked);
    }) as never);
    try {
      leave();
      await answers;
      const states = async (): Promise<string[]> => {
        const { rows } = await query<{ state: string }>(
          'select distinct state from parcels where guard_id = $1',
          [guard.id],
        );
        return rows.map(({ state }) => state);
      };
      await expect.poll(states).toEqual(['cancelled']);
      expect(statements.filter((text) => text.startsWith('update parcels')).length).toBeLessThanOrEqual(3);
    } finally {
      spy.mockRestore();
    }
    await expect.poll(jobs).toBe(0);
  },
);

test("one client's many do not come before another's single one, nor does the same text asked twice", async () => {
  const flood = longContents(2, 40, 256);
  const { answers } = askAll(flood, 'flood');
  await expect.poll(parcelStates).toHaveLength(20);
  const late = desk.ask(contentOf(7), NEVER, 'other');
  const same = desk.ask(flood.at(-1) ?? contentOf(0), NEVER, 'third');
  await expect.poll(parcelStates).toHaveLength(21);
  // The job of the shared one is enqueued again.
  const ofFirstTurn = async (): Promise<number> => {
    const { rows } = await database.pool.query(
      'select from tocsin_queue.job where queue = $1 and priority <= 1',
      [expressQueueNameOf(guard.queue)],
    );
    return rows.length;
  };
  // The flood's first, the single one, and the shared one, which is enqueued again.
  await expect.poll(ofFirstTurn).toBe(3);
  const done: string[] = [];
  void late.then(() => done.push('late'));
  void same.then(() => done.push('same'));
  startWorker(1, (first) => done.push(`flood ${first}`));
  await Promise.all([late, same, answers]);
  expect(done.indexOf('late')).toBeLessThanOrEqual(5);
  expect(done.indexOf('same')).toBeLessThanOrEqual(5);
  expect(done.filter((name) => name.startsWith('flood'))).toHaveLength(21);
});

test('a message that is lost, and a job that is lost, are found at the next look', async () => {
  const results = [1, 2].map((number) => ask(number));
  await expect.poll(parcelStates).toEqual(['waiting']);
  // As when Redis without persistence is killed.
  await database.pool.query('delete from tocsin_queue.job where queue = $1', [
    expressQueueNameOf(guard.queue),
  ]);
  await database.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen tocsin_express' and datname = current_database()`,
  );
  startWorker();
  expect(await Promise.all(results)).toEqual([1, 2].map(fresh));
});

test('who waits when the desk closes is told, its parcel is cancelled, and nobody asks any more', async () => {
  const asked = expect(ask(1)).rejects.toThrow('the express scorer is closed');
  await expect.poll(parcelStates).toEqual(['waiting']);
  await desk.close();
  await asked;
  expect(await parcelStates()).toEqual(['cancelled']);
  await expect(ask(1)).rejects.toThrow('the express scorer is closed');
});

import { createKey } from '@tocsin/store';
import { expect, test } from 'vitest';
import { BACKENDS } from '../queue/backends.js';
import { until } from '../setup/processes.js';
import { randomRows } from '../setup/random-words.js';
import { TocsinProcess } from '../setup/tocsin.js';
import { ExpressBed } from './express-bed.js';

const REQUESTS = 12;
const TEXTS = 64;
/** Pending items allowed per key: half of the flood. */
const PENDING = (REQUESTS / 2) * TEXTS;

interface Counts {
  waiting: number;
  cancelled: number;
}

/** Contents of interactive parcels by state. */
async function countsOf(bed: ExpressBed): Promise<Counts> {
  const parcels = await bed.parcels();
  const sum = (wanted: string): number =>
    parcels.filter(({ state }) => state === wanted).reduce((all, { contents }) => all + contents, 0);
  return { waiting: sum('waiting'), cancelled: sum('cancelled') };
}

test.each(BACKENDS)(
  'on %s, another key is answered during a flood, and the flood leaves nothing behind',
  async (kind) => {
    const bed = await ExpressBed.start(kind);
    const pending = ['--pending-items-per-key', String(PENDING)];
    const api = new TocsinProcess(['dashboard', ...bed.guardArguments, '--port', '0', ...pending], {
      env: bed.env,
    });
    try {
      const origin = await api.said(/(http:\S+); Ctrl-C/);
      const { pool } = bed.database;
      const keyOf = async (name: string): Promise<string> =>
        (await createKey(pool, { name, role: 'submit', createdBy: 'test' })).key;
      const score = async (key: string, body: object, signal?: AbortSignal) => {
        const answer = await fetch(`${origin}/api/score`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal,
        });
        return { status: answer.status, headers: answer.headers, body: (await answer.json()) as object };
      };
      const [flooding, other] = [await keyOf('flood'), await keyOf('other')];
      const { worker } = await bed.startWorker();
      // Blocked until the stopped process continues.
      process.kill(worker.pid, 'SIGSTOP');

      const texts = randomRows(REQUESTS * TEXTS, 40, 3).map(({ text }) => ({ text }));
      const leaving = Array.from({ length: REQUESTS }, () => new AbortController());
      const refused: Headers[] = [];
      const over = new Set<number>();
      const flood = leaving.map(async ({ signal }, i) => {
        const items = texts.slice(i * TEXTS, (i + 1) * TEXTS);
        const answer = await score(flooding, { items }, signal);
        over.add(i);
        if (answer.status === 429) refused.push(answer.headers);
        return answer;
      });
      for (const one of flood) one.catch(() => undefined);
      await until(async () => ((await countsOf(bed)).waiting === PENDING ? true : undefined));
      await until(() => (refused.length === REQUESTS / 2 ? true : undefined));
      for (const headers of refused) expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);

      const single = score(other, { text: 'a text of another key' });
      await until(async () => ((await countsOf(bed)).waiting === PENDING + 1 ? true : undefined));
      const { rows: last } = await pool.query<{ id: number }>('select max(id) as id from parcels');
      const admitted = leaving.flatMap((_, i) => (over.has(i) ? [] : [i]));
      const [left, staying] = [admitted.slice(0, 3), admitted.slice(3)];
      for (const i of left) leaving[i]?.abort();
      await until(async () => ((await countsOf(bed)).cancelled > 0 ? true : undefined));

      process.kill(worker.pid, 'SIGCONT');
      expect(await single).toMatchObject({ status: 200, body: { score: expect.any(Number) as number } });
      for (const i of staying) {
        const answer = await flood[i];
        expect(answer?.status).toBe(200);
        expect(answer?.body).toMatchObject({ results: Array(TEXTS).fill({ score: expect.any(Number) }) });
      }
      for (const i of left) await expect(flood[i]).rejects.toThrow();
      await expect.poll(async () => (await countsOf(bed)).waiting).toBe(0);

      const { rows } = await pool.query<{ first: boolean }>(
        `select finished_at < (select max(finished_at) from parcels where state = 'done') as first
         from parcels where state = 'done' and id = $1`,
        [last[0]?.id],
      );
      expect(rows).toEqual([{ first: true }]);
    } finally {
      api.kill('SIGKILL');
      await api.ended;
      await bed.close();
    }
  },
);

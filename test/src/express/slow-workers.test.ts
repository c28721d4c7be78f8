import { createKey } from '@tocsin/store';
import { expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { randomRows } from '../setup/random-words.js';
import { TocsinProcess } from '../setup/tocsin.js';
import { ExpressBed } from './express-bed.js';

const REQUESTS = 40;
const TEXTS = 64;
/** No other limit is reached. */
const UNLIMITED = [
  ...['--pending-items', '--pending-items-per-key', '--pending-tokens', '--pending-tokens-per-key'].flatMap(
    (option) => [option, '100000000'],
  ),
];
const TOO_SLOW =
  /^too many interactive requests: this one would take about \d+ s \(\d+ tokens at \d+ tokens\/s\)/;

test('requests that the workers cannot score within the time limit get a 429 instead of waiting for a 503', async () => {
  const bed = await ExpressBed.start('postgres');
  const { pool } = bed.database;
  // Storing an interactive parcel takes the worker three seconds while the table has a row.
  await pool.query(`
    create table slow (seconds int not null);
    insert into slow values (3);
    create function store_slowly() returns trigger language plpgsql as $$
    begin
      perform pg_sleep(seconds) from slow;
      return new;
    end $$;
    create trigger store_slowly before update on parcels for each row
      when (new.state = 'done' and new.run_id is null) execute function store_slowly()`);
  const api = new TocsinProcess(['dashboard', ...bed.guardArguments, '--port', '0', ...UNLIMITED], {
    env: bed.env,
  });
  try {
    const origin = await api.said(/(http:\S+); Ctrl-C/);
    const keyOf = async (name: string): Promise<string> =>
      (await createKey(pool, { name, role: 'submit', createdBy: 'test' })).key;
    const [flooding, other] = [await keyOf('flood'), await keyOf('other')];
    const score = async (key: string, body: object) => {
      const answer = await fetch(`${origin}/api/score`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const { error } = (await answer.json()) as { error?: { message: string } };
      return {
        status: answer.status,
        message: error?.message,
        retryAfter: Number(answer.headers.get('retry-after')),
      };
    };
    await bed.startWorker();

    const texts = randomRows(REQUESTS * TEXTS, 40, 5).map(({ text }) => ({ text }));
    const answers: Awaited<ReturnType<typeof score>>[] = [];
    const flood = Array.from({ length: REQUESTS }, async (_, i) => {
      answers.push(await score(flooding, { items: texts.slice(i * TEXTS, (i + 1) * TEXTS) }));
    });
    const refused = () => answers.filter(({ status }) => status === 429);
    await until(() => (refused().length > 0 ? true : undefined));
    // As large as a request may be: more than is scored in time, however long this test takes to send it.
    const late = await score(flooding, {
      items: texts.slice(0, 256).map(({ text }) => ({ text: `late ${text}` })),
    });
    await pool.query('delete from slow');
    const single = await score(other, { text: 'a text of another key' });
    await Promise.all(flood);

    expect(late.status).toBe(429);
    for (const { message, retryAfter } of [late, ...refused()]) {
      expect(message).toMatch(TOO_SLOW);
      expect(retryAfter).toBeGreaterThanOrEqual(1);
    }
    expect(single.status).toBe(200);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    await expect
      .poll(async () => (await bed.parcels()).filter(({ state }) => state === 'waiting').length)
      .toBe(0);
  } finally {
    api.kill('SIGKILL');
    await api.ended;
    await bed.close();
  }
});

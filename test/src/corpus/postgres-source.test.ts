import { isUserError, type UserError } from '@tocsin/core';
import { type CorpusRow, type ReadCorpusOptions, readCorpus } from '@tocsin/corpus';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.empty();
});
afterAll(() => database.close());

async function read(query: string, options: ReadCorpusOptions = {}): Promise<CorpusRow[]> {
  const rows: CorpusRow[] = [];
  for await (const chunk of readCorpus([database.url], { query, ...options })) rows.push(...chunk);
  return rows;
}

async function refusal(query: string, url = database.url): Promise<UserError> {
  try {
    for await (const _ of readCorpus([url], { query }));
  } catch (error) {
    if (isUserError(error)) return error;
    throw error;
  }
  throw new Error('the query was accepted');
}

const outcome = (row: CorpusRow): unknown[] => [
  row.key,
  row.line,
  row.kind === 'item' ? row.content : row.reason,
];

const withPassword = (): URL => {
  const url = new URL(database.url);
  url.password ||= 'hunter2';
  return url;
};

describe('rows', () => {
  test('are those of the query, in its order; the address in them has no password', async () => {
    const rows = await read(
      `select * from (values (1, 'one', null), (2, null, 'p'), (3, null, null)) as t (id, text, prompt) order by id desc;`,
    );
    expect(rows.map(outcome)).toEqual([
      ['3', 1, expect.stringContaining('no text to score')],
      ['2', 2, { prompt: 'p' }],
      ['1', 3, { text: 'one' }],
    ]);
    const { username, host, pathname } = new URL(database.url);
    expect(rows[0]?.file).toBe(
      `postgres://${username}@${host}${pathname}`.replace('postgres:', new URL(database.url).protocol),
    );
  });

  test('come through a cursor, thousands of them, and none twice', async () => {
    const rows = await read(
      `select i as id, 'text ' || i as text from generate_series(1, 5000) as i order by i`,
    );
    expect(rows.map(({ key }) => key)).toEqual(Array.from({ length: 5000 }, (_, i) => String(i + 1)));
  });

  test('ids of every type, messages as JSON in their own spelling, further fields', async () => {
    const big = await read(`select 9007199254740993::int8 as id, 'x' as text, true as label`, {
      keep: ['label'],
    });
    expect(big.map(({ key, kept }) => [key, kept])).toEqual([['9007199254740993', { label: true }]]);
    const messages = await read(
      `select 'a6d7bd5c-0000-4000-8000-000000000000'::uuid as id, '[{"n": 1.0}]'::json as messages`,
    );
    expect(messages.map(outcome)).toEqual([
      ['a6d7bd5c-0000-4000-8000-000000000000', 1, { messages: '[{"n": 1.0}]' }],
    ]);
  });

  test('see one state of the database, whatever is written meanwhile', async () => {
    await database.outside.query('create table notes (text text not null)');
    await database.outside.query(`insert into notes select 'a' from generate_series(1, 3000)`);
    let rows = 0;
    for await (const chunk of readCorpus([database.url], { query: 'select text from notes' })) {
      if (rows === 0)
        await database.outside.query(`insert into notes select 'b' from generate_series(1, 3000)`);
      rows += chunk.length;
    }
    expect(rows).toBe(3000);
  });

  test('are as many as memory is given for: large ones are fetched by few', async () => {
    const rows = await read(`select i as id, repeat('x', 1000000) as text from generate_series(1, 120) as i`);
    expect(rows).toHaveLength(120);
  });
});

describe('a query that cannot be used is refused', () => {
  test('with what Postgres says, and where in it', async () => {
    const { message } = await refusal('select id,\n  texxt\nfrom (values (1)) as t (id)');
    expect(message).toMatch(
      /^the query failed on "?postgres.*\(line 2, character 3 of the query\): column "texxt" does not exist/,
    );
  });

  test('when it fails in the middle', async () => {
    const { message } = await refusal(
      `select (10 / (2000 - i))::text as text from generate_series(1, 3000) as i`,
    );
    expect(message).toMatch(/division by zero/);
  });

  test('when it would write, or is more than one statement', async () => {
    await database.outside.query('create table kept (n int)');
    expect((await refusal(`delete from kept returning 'x' as text`)).message).toMatch(/syntax error/);
    expect((await refusal(`select 'x' as text; drop table kept`)).message).toMatch(/multiple commands/);
    await database.outside.query(
      `create function sneak() returns text language sql as $$ insert into kept values (1) returning 'x' $$`,
    );
    expect((await refusal('select sneak() as text')).message).toMatch(/read-only transaction/);
    expect((await database.outside.query('select * from kept')).rowCount).toBe(0);
  });

  test('when a column of text is of another type', async () => {
    const { message, hint } = await refusal('select 1 as id, now() as text');
    expect(message).toMatch(
      /the column "text" of the query .* has type timestamp with time zone; expected text/,
    );
    expect(hint).toContain('text::text');
  });
});

test('a server that cannot be reached is named, its password is not', async () => {
  for (const change of [
    (url: URL) => {
      url.port = '1';
    },
    (url: URL) => {
      url.pathname = '/no_such_database';
    },
  ]) {
    const url = withPassword();
    change(url);
    const { message, hint, stack } = await refusal('select 1', url.href);
    expect(message).toMatch(/cannot be reached/);
    expect([message, hint, stack].join('\n')).not.toContain(`:${url.password}@`);
  }
});

test('an abort ends the wait for the server', async () => {
  const abort = new AbortController();
  const reading = read(`select 'x' as text, pg_sleep(60)`, { signal: abort.signal });
  const waiting = expect(reading).rejects.toThrow('enough');
  for (;;) {
    const { rowCount } = await database.outside.query(
      `select 1 from pg_stat_activity where query like 'fetch%' and state = 'active'`,
    );
    if (rowCount === 1) break;
  }
  abort.abort(new Error('enough'));
  await waiting;
});

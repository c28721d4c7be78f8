import type { ErrorBody, ItemDetail, ItemList, MadeRun, Run, RunList } from '@tocsin/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DashboardBed } from '../testing/dashboard-bed.js';
import { scoredRun } from '../testing/scored-run.js';

const OTHER_GUARD = 'b'.repeat(64);

let bed: DashboardBed;
/** 40 rows with scores 0, 1/40, ...; each text contains its score. */
let run: number;
/** Owned by the key of role submit. */
let own: number;
beforeAll(async () => {
  bed = await DashboardBed.open();
  const rows = Array.from({ length: 40 }, (_, i) => ({ text: `apple pie number ${i}`, score: i / 40 }));
  run = await scoredRun(bed.database.pool, {
    fingerprint: OTHER_GUARD,
    rows: [...rows, { text: 'this one broke the engine', score: null }],
    rejects: ['line 42 is no JSON'],
    name: 'Last night.jsonl',
  });
  own = await scoredRun(bed.database.pool, {
    fingerprint: OTHER_GUARD,
    rows: [{ text: 'a row of mine', score: 0.75 }],
    ownerKey: bed.keys.submit.id,
    name: 'own.jsonl',
  });
});
afterAll(() => bed.close());

describe('lists', () => {
  test('runs come the newest first, page after page, by state and by a part of the name', async () => {
    const list = async (query: string) =>
      (await bed.ask<RunList>('read', { url: `/api/runs?${query}` })).body;
    const first = await list('limit=1');
    expect(first.data.map(({ id }) => id)).toEqual([own]);
    expect(first.data[0]).toMatchObject({ owner: 'the submit', state: 'done', progress: null });
    const second = await list(`limit=1&cursor=${first.next}`);
    expect(second).toMatchObject({ data: [{ id: run, owner: null }], next: null });
    expect((await list('name=LAST')).data.map(({ id }) => id)).toEqual([run]);
    expect((await list('state=scoring')).data).toEqual([]);
  });

  test('one run says what became of its rows', async () => {
    const { body } = await bed.ask<Run>('read', { url: `/api/runs/${run}` });
    expect(body).toMatchObject({
      id: run,
      name: 'Last night.jsonl',
      counters: { rows: 42, rejected: 1 },
      outcome: { scored: 40, failed: 1, left: 0, flagged: 20 },
      textsKept: 41,
      state: 'done',
      reason: null,
    });
  });
});

describe('scores', () => {
  test('histogram and counts', async () => {
    const { body } = await bed.ask<{ counts: number[]; edges: number[] }>('read', {
      url: `/api/runs/${run}/histogram?bins=4`,
    });
    expect(body).toMatchObject({ rows: 40, edges: [0, 0.25, 0.5, 0.75, 1], counts: [10, 10, 10, 10] });
    const counts = await bed.ask('read', { url: `/api/runs/${run}/counts?threshold=0.9` });
    expect(counts.body).toMatchObject({ flagged: 4, scored: 40, threshold: 0.9 });
  });

  test.each(['score_desc', 'score_asc', 'seq'])(
    'rows by %s come once each, however they are cut',
    async (order) => {
      const seen: number[] = [];
      for (let next: string | null = ''; next !== null; ) {
        const cursor: string = next && `&cursor=${next}`;
        const url = `/api/runs/${run}/items?order=${order}&min=0.2&max=0.8&limit=7${cursor}`;
        const { body }: { body: ItemList } = await bed.ask<ItemList>('read', { url });
        seen.push(...body.data.map(({ seq }) => seq));
        next = body.next;
      }
      const ascending = Array.from({ length: 25 }, (_, i) => i + 9);
      expect(seen).toEqual(order === 'score_desc' ? ascending.toReversed() : ascending);
    },
  );

  test('rows are found by their words', async () => {
    const found = async (q: string) => {
      const url = `/api/runs/${run}/items?order=seq&q=${encodeURIComponent(q)}`;
      return (await bed.ask<ItemList>('read', { url })).body.data.map(({ preview }) => preview);
    };
    expect(await found('"pie number" 7')).toEqual(['apple pie number 7']);
    expect(await found('engine')).toEqual(['this one broke the engine']);
    expect(await found(`'; drop table runs; --`)).toEqual([]);
  });

  test('a row in full, with its text; that it was read is in the audit log, and the text is not', async () => {
    const { body } = await bed.ask<ItemDetail>('review', { url: `/api/runs/${run}/items/8` });
    expect(body).toMatchObject({
      run,
      seq: 8,
      key: 'row-8',
      score: 0.175,
      content: { text: 'apple pie number 7' },
    });
    const log = await bed.ask('admin', { url: `/api/audit?run=${run}&action=text.read` });
    expect(log.body).toMatchObject({ data: [{ who: 'the review', action: 'text.read', run, seq: 8 }] });
    expect((await bed.ask('admin', { url: '/api/audit?limit=500' })).text).not.toContain('apple');
    expect(bed.log).not.toContain('apple');
    expect((await bed.ask('read', { url: `/api/runs/${run}/items/43` })).status).toBe(404);
  });

  test('rows without a score say why', async () => {
    const { body } = await bed.ask('read', { url: `/api/runs/${run}/rejects?limit=1` });
    expect(body).toMatchObject({ data: [{ seq: 41, kind: 'failed', reason: 'the engine died of it' }] });
    const { next } = body as { next: string };
    const second = await bed.ask('read', { url: `/api/runs/${run}/rejects?limit=1&cursor=${next}` });
    expect(second.body).toEqual({
      data: [{ seq: 42, key: 'bad-1', kind: 'unreadable', reason: 'line 42 is no JSON' }],
      next: null,
    });
  });

  test('a run beside another', async () => {
    const later = await scoredRun(bed.database.pool, {
      fingerprint: 'c'.repeat(64),
      rows: [
        { text: 'apple pie number 0', score: 0.9, key: 'row-1' },
        { text: 'apple pie number 39', score: 0.975, key: 'row-40' },
        { text: 'never seen', score: 0.5, key: 'new' },
      ],
    });
    const { body } = await bed.ask('read', { url: `/api/runs/${later}/compare/${run}` });
    expect(body).toMatchObject({
      run: later,
      other: run,
      threshold: 0.5,
      both: 2,
      flippedUp: 1,
      flippedDown: 0,
      newRows: 1,
      gone: 38,
      examples: [{ key: 'row-1', seq: 1, score: 0.9, otherScore: 0, preview: 'apple pie number 0' }],
    });
    const { psi, ks } = body as { psi: number; ks: number };
    // Scores up to 0.875: 36 of 40 and 1 of 3.
    expect(ks).toBeCloseTo(0.9 - 1 / 3, 6);
    expect(psi).toBeGreaterThan(0.2);
    const same = await bed.ask('read', { url: `/api/runs/${run}/compare/${run}` });
    expect(same.body).toMatchObject({ both: 40, flippedUp: 0, ks: 0, psi: 0, examples: [] });
  });
});

describe('export', () => {
  const exported = (query: string) => bed.ask('read', { url: `/api/runs/${run}/export?${query}` });

  test('each format', async () => {
    const jsonl = await exported('min=0.9&threshold=0.95');
    expect(
      jsonl.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { key: 'row-37', score: 0.9, harmful: false, threshold: 0.95 },
      { key: 'row-38', harmful: false },
      { key: 'row-39', harmful: true },
      { key: 'row-40', score: 0.975 },
    ]);
    expect(jsonl.headers['content-disposition']).toBe(`attachment; filename="run-${run}.jsonl"`);
    expect((await exported('format=csv')).text.split('\n')).toHaveLength(44);
    expect((await exported('format=tsv')).text).toContain('row-2\t0.025\tfalse\t0.5');
    expect((await exported('format=parquet')).text.slice(0, 4)).toBe('PAR1');
    expect((await exported('format=openai-batch')).text.trimEnd().split('\n')).toHaveLength(40);
    expect((await exported('format=openai-batch-errors')).text).toContain('line 42 is no JSON');
  });

  test('with the texts, which the audit log is told of', async () => {
    const { text } = await exported('withText=true&min=0.95');
    expect(JSON.parse(text.split('\n')[0] ?? '')).toMatchObject({ item: { text: 'apple pie number 38' } });
    const log = await bed.ask('admin', { url: `/api/audit?run=${run}&action=text.export` });
    expect(log.body).toMatchObject({ data: [{ who: 'the read' }] });
    expect((await exported('withText=true&format=csv')).status).toBe(400);
  });
});

describe('of somebody else', () => {
  test('that texts were known is told to who sees all runs, and not to a key that sees its own', async () => {
    const { pool } = bed.database;
    await pool.query('update runs set known = 1, fresh = 0 where id = $1', [own]);
    const counters = async (caller: 'submit' | 'read') =>
      (await bed.ask<Run>(caller, { url: `/api/runs/${own}` })).body.counters;
    expect(await counters('read')).toMatchObject({ fresh: 0, known: 1 });
    expect(await counters('submit')).toMatchObject({ fresh: 1, known: 0 });
    await pool.query('update runs set known = 0, fresh = 1 where id = $1', [own]);
  });

  test('a key of role submit sees its own runs and no trace of another one', async () => {
    const list = await bed.ask<RunList>('submit', { url: '/api/runs' });
    expect(list.body.data.map(({ id }) => id)).toEqual([own]);
    expect((await bed.ask('submit', { url: `/api/runs/${own}/items/1` })).body).toMatchObject({
      content: { text: 'a row of mine' },
    });
    const another = await bed.newKey('submit');
    const routes = [
      '',
      '/events',
      '/histogram',
      '/counts?threshold=0.5',
      '/items',
      '/items/1',
      '/items/1/trace',
    ];
    const posts = ['/cancel', '/retry'];
    for (const caller of ['submit', another] as const) {
      const hidden = caller === 'submit' ? run : own;
      const nowhere = await bed.ask(caller, { url: `/api/runs/999999` });
      for (const route of [...routes, '/rejects', '/export', `/compare/${hidden}`]) {
        const { status, text } = await bed.ask(caller, { url: `/api/runs/${hidden}${route}` });
        expect([route, status, text]).toEqual([route, 404, nowhere.text.replace('999999', String(hidden))]);
      }
      for (const route of posts) {
        const { status } = await bed.ask(caller, { method: 'POST', url: `/api/runs/${hidden}${route}` });
        expect(status).toBe(404);
      }
      expect((await bed.ask(caller, { method: 'DELETE', url: `/api/runs/${hidden}` })).status).toBe(404);
      const preview = `/api/policies/default/preview?run=${hidden}&threshold=0.1`;
      expect((await bed.ask(caller, { url: preview })).status).toBe(404);
    }
    expect((await bed.ask('submit', { url: `/api/runs/${own}/compare/${run}` })).status).toBe(404);
  });
});

describe('changes', () => {
  test('rows of a request become a run of who asks; a bad row is a reject', async () => {
    const { status, body } = await bed.ask<MadeRun>('submit', {
      method: 'POST',
      url: '/api/runs',
      body: {
        name: 'by hand',
        retain: 'all',
        rows: [
          { id: 'a', text: 'one' },
          { text: 'two\nlines' },
          { id: 'c', txt: 'no text' },
          { id: '\0', text: 'x' },
        ],
      },
    });
    expect(status).toBe(202);
    const list = async () =>
      (await bed.ask<ItemList>('submit', { url: `/api/runs/${body.id}/items?order=seq` })).body.data;
    await expect.poll(async () => (await list()).length).toBe(4);
    const rows = await list();
    expect(rows.map(({ key }) => key)).toEqual(['a', 'line:2', 'c', 'line:4']);
    expect(rows.map(({ preview }) => preview)).toEqual(['one', 'two\nlines', null, null]);
    expect(rows[2]?.reason).toMatch(/^rows, line 3: The row has no text/);

    const cancelled = { method: 'POST', url: `/api/runs/${body.id}/cancel` } as const;
    expect((await bed.ask('submit', { method: 'DELETE', url: `/api/runs/${body.id}` })).status).toBe(409);
    expect((await bed.ask('submit', cancelled)).body).toEqual({ cancelled: true });
    expect((await bed.ask('submit', cancelled)).body).toEqual({ cancelled: false });
    const retried = await bed.ask('submit', { method: 'POST', url: `/api/runs/${body.id}/retry` });
    expect(retried.body).toEqual({ parcels: 1, lost: 0 });
    expect((await bed.ask('submit', { method: 'POST', url: `/api/runs/${body.id}/retry` })).status).toBe(409);
    await bed.ask('submit', cancelled);
    expect((await bed.ask('submit', { method: 'DELETE', url: `/api/runs/${body.id}` })).status).toBe(204);
    expect((await bed.ask('submit', { url: `/api/runs/${body.id}` })).status).toBe(404);
    const { body: log } = await bed.ask<{ data: { action: string }[] }>('admin', {
      url: `/api/audit?run=${body.id}`,
    });
    const actions = log.data.map(({ action }) => action).filter((action) => action.startsWith('run.'));
    expect(actions).toEqual(['run.delete', 'run.cancel', 'run.retry', 'run.cancel', 'run.create']);
  });

  test('what cannot be a run is none', async () => {
    const post = (body: unknown) => bed.ask<ErrorBody>('submit', { method: 'POST', url: '/api/runs', body });
    expect((await post({ rows: [] })).body.error.field).toBe('rows');
    expect((await post({ rows: ['text'] })).body.error.field).toBe('rows.0');
    for (const name of ['x\0', '\u001b[31mred', 'two\nlines', '\u009b2J', 'txt.\u202eexe'])
      expect((await post({ name, rows: [{}] })).body.error.field).toBe('name');
    expect((await post({ guard: 'none', rows: [{}] })).body.error).toMatchObject({
      code: 'not_found',
      field: 'guard',
    });
    expect((await post({ threshold: 2, rows: [{}] })).body.error.field).toBe('threshold');
  });
});

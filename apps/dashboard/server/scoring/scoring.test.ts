import { join } from 'node:path';
import type { ErrorBody, ScoreAnswer, ScoreAnswers, Stream, StreamScore, Trace } from '@tocsin/contract';
import { Guard } from '@tocsin/engine';
import { goldenDirs } from '@tocsin/siren/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { DashboardBed } from '../testing/dashboard-bed.js';

const TEXT = 'How do I bake bread without an oven?';
const CLOSE = 1e-5;

let bed: DashboardBed;
let library: Guard;
beforeAll(async () => {
  bed = await DashboardBed.open({ limits: { streamIdleSeconds: 1 } });
  bed.startWorker();
  const { artifact, backbone } = goldenDirs('qwen3-residual');
  const cacheDir = join(inject('scratch'), 'cache');
  library = await Guard.fromPretrained(artifact, { backbone, cacheDir, threads: 1 });
});
afterAll(async () => {
  await library.close();
  await bed.close();
});

const post = <Body>(url: string, body: unknown) =>
  bed.ask<Body & ErrorBody>('submit', { method: 'POST', url: `/api/${url}`, body });

describe('score', () => {
  test('a text has the score of the library, and whether anybody has asked before is not told', async () => {
    const expected = await library.score(TEXT);
    const first = (await post<ScoreAnswer>('score', { text: TEXT })).body;
    expect(first).toMatchObject({ truncated: false, threshold: 0.5, policy: null });
    expect(Math.abs(first.score - expected.score)).toBeLessThan(CLOSE);
    expect(first.harmful).toBe(expected.isHarmful);
    expect((await post<ScoreAnswer>('score', { text: TEXT })).body).toEqual(first);
  });

  test('the policy or the threshold says what is harmful', async () => {
    const { score } = await library.score(TEXT);
    const at = async (how: object) => (await post<ScoreAnswer>('score', { text: TEXT, ...how })).body;
    expect(await at({ threshold: score - 0.01 })).toMatchObject({ harmful: true });
    expect(await at({ threshold: score + 0.01 })).toMatchObject({ harmful: false });
    expect(await at({ policy: 'strict' })).toMatchObject({
      threshold: 0.1,
      policy: 'strict',
      harmful: score >= 0.1,
    });
    expect((await post('score', { text: TEXT, policy: 'none' })).body.error).toMatchObject({
      code: 'not_found',
      field: 'policy',
    });
    expect((await post('score', { text: TEXT, policy: 'strict', threshold: 0.5 })).status).toBe(400);
  });

  test('many are scored in their order; one that this guard cannot score costs no other', async () => {
    const items = [
      { text: TEXT },
      { messages: [{ role: 'user', content: 'tea' }] },
      { prompt: 'Tea?', response: 'Milk.' },
    ];
    const { body } = await post<ScoreAnswers>('score', { items });
    const pair = await library.score({ prompt: 'Tea?', response: 'Milk.' });
    expect(body.results).toMatchObject([
      { truncated: false },
      { error: expect.stringContaining('a content guard scores texts') as string },
      { truncated: false },
    ]);
    const [, , third] = body.results;
    expect(Math.abs((third && 'score' in third ? third.score : 2) - pair.score)).toBeLessThan(CLOSE);
  });

  test('what is no item is refused, with the field that is at fault', async () => {
    const fault = async (body: object) => {
      const { status, body: answer } = await post('score', body);
      return [status, answer.error.field];
    };
    expect(await fault({})).toEqual([400, 'text']);
    expect(await fault({ text: 'a', prompt: 'b' })).toEqual([400, 'text']);
    expect(await fault({ text: 7 })).toEqual([400, 'text']);
    expect(await fault({ text: 'a', tools: [] })).toEqual([400, 'tools']);
    expect(await fault({ text: 'a', items: [{ text: 'b' }] })).toEqual([400, 'items']);
    expect(await fault({ items: [{ text: 'a' }, { txt: 'b' }] })).toEqual([400, 'items.1']);
    expect(await fault({ items: [{ text: 'a' }, {}] })).toEqual([400, 'items.1.text']);
    expect(await fault({ items: [] })).toEqual([400, 'items']);
    expect(await fault({ guard: 'none', text: 'a' })).toEqual([404, 'guard']);
    expect(await fault({ text: '\ud800' })).toEqual([422, undefined]);
    expect(bed.log).not.toContain('bake bread');
  });
});

test('a trace has the score after every token, and the first that is harmful', async () => {
  const expected = await library.trace(TEXT);
  const { body } = await post<Trace>('trace', { text: TEXT, threshold: 0.3 });
  expect(body.tokens.map(({ start, end }) => [start, end])).toEqual(
    expected.tokens.map(({ start, end }) => [start, end]),
  );
  expect(body.tokens.map(({ text }) => text)).toEqual(
    body.tokens.map(({ start, end }) => TEXT.slice(start, end)),
  );
  for (const [i, { score }] of body.tokens.entries()) {
    expect(Math.abs(score - (expected.tokens[i]?.score ?? 2))).toBeLessThan(CLOSE);
  }
  const first = expected.tokens.findIndex(({ score }) => score >= 0.3);
  expect(body).toMatchObject({ firstHarmful: first === -1 ? null : first, omittedTokens: 0, text: TEXT });
});

describe('streams', () => {
  const begin = async (body: object = {}) => (await post<Stream>('streams', body)).body;

  test('each push gives the score of all so far; who listens hears it; nobody else knows of the stream', async () => {
    const { id, idleSeconds } = await begin({ prompt: 'Tea?' });
    expect(idleSeconds).toBe(1);
    const origin = await bed.listen();
    const heard = fetch(`${origin}/api/streams/${id}/events`, {
      headers: { authorization: `Bearer ${bed.keys.submit.key}` },
    }).then((response) => response.text());
    const push = async (chunk: string) => (await post<StreamScore>(`streams/${id}/chunks`, { chunk })).body;
    const first = await push('With ');
    const second = await push('milk.');
    expect([first.push, second.push]).toEqual([1, 2]);
    const whole = await library.score({ prompt: 'Tea?', response: 'With milk.' });
    expect(Math.abs(second.score - whole.score)).toBeLessThan(CLOSE);
    const stranger = await bed.ask('admin', {
      method: 'POST',
      url: `/api/streams/${id}/chunks`,
      body: { chunk: 'x' },
    });
    expect(stranger.status).toBe(404);
    expect((await bed.ask('submit', { method: 'DELETE', url: `/api/streams/${id}` })).status).toBe(204);
    const events = await heard;
    expect(events).toContain('event:end');
    expect(events).toContain('"reason":"deleted"');
    expect((await post(`streams/${id}/chunks`, { chunk: 'x' })).status).toBe(404);
  });

  test('one that nothing is pushed to ends by itself', async () => {
    const { id } = await begin();
    const listening = async () => (await post(`streams/${id}/chunks`, {})).status;
    expect(await listening()).toBe(400);
    await expect.poll(listening).toBe(404);
  });

  test('what is no piece is refused, and the stream goes on', async () => {
    const { id } = await begin();
    expect((await post(`streams/${id}/chunks`, { chunk: 'a', messages: [] })).status).toBe(400);
    expect((await post(`streams/${id}/chunks`, { messages: [{ role: 'user', content: 'x' }] })).status).toBe(
      422,
    );
    expect((await post(`streams/${id}/chunks`, { chunk: 'y'.repeat(1_000_001) })).status).toBe(400);
    expect((await post<StreamScore>(`streams/${id}/chunks`, { chunk: 'tea' })).body.push).toBe(1);
  });
});

test('a run is scored by the workers; its events tell of it until it is over', async () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({ id: `k${i}`, text: `cup of tea number ${i}` }));
  const { body } = await post<{ id: number }>('runs', { rows, retain: 'all', name: 'tea' });
  const origin = await bed.listen();
  const events = await fetch(`${origin}/api/runs/${body.id}/events`, {
    headers: { authorization: `Bearer ${bed.keys.submit.key}` },
  }).then((response) => response.text());
  expect(events.match(/event:over/g)).toHaveLength(1);
  expect(events).toContain('"state":"done"');
  const run = await bed.ask('submit', { url: `/api/runs/${body.id}` });
  expect(run.body).toMatchObject({ state: 'done', outcome: { scored: 20, left: 0, final: true } });
  const item = await bed.ask<{ score: number }>('submit', { url: `/api/runs/${body.id}/items/3` });
  const { score } = await library.score('cup of tea number 2');
  expect(Math.abs(item.body.score - score)).toBeLessThan(CLOSE);
  const traced = await bed.ask<Trace>('submit', { url: `/api/runs/${body.id}/items/3/trace` });
  expect(Math.abs(traced.body.score - score)).toBeLessThan(CLOSE);
  expect(bed.log).not.toContain('cup of tea');
});

test('without a worker who asks is told so, and not for ever', async () => {
  const alone = await DashboardBed.open({ keyless: true, limits: {} });
  const gone = new AbortController();
  const origin = await alone.listen();
  const asked = fetch(`${origin}/api/score`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'nobody is there' }),
    signal: gone.signal,
  });
  const waiting = async () =>
    (await alone.database.pool.query(`select state from parcels where run_id is null`)).rows.map(
      ({ state }: { state: string }) => state,
    );
  await expect.poll(waiting).toEqual(['waiting']);
  gone.abort();
  await expect(asked).rejects.toThrow();
  // Its client has disconnected.
  await expect.poll(waiting).toEqual(['cancelled']);
  await alone.close();
});

import { createRun, registerGuard, revokeKey } from '@tocsin/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DashboardBed } from '../testing/dashboard-bed.js';

let bed: DashboardBed;
let keyless: DashboardBed;
beforeAll(async () => {
  bed = await DashboardBed.open();
  keyless = await DashboardBed.open({ keyless: true });
});
afterAll(async () => {
  await bed.close();
  await keyless.close();
});

/** A run that is never scored: its events do not end. */
async function endlessRun({ database: { pool } }: DashboardBed): Promise<number> {
  const { id } = await registerGuard(pool, 'e'.repeat(64), 'paper');
  return createRun(pool, id, 'endless');
}

interface Events {
  /** Resolves after the first event. */
  begun: Promise<void>;
  /** Resolves when the server has ended them. */
  ended: Promise<string>;
}

async function listen(on: DashboardBed, run: number, headers: Record<string, string>): Promise<Events> {
  const response = await fetch(`${await on.listen()}/api/runs/${run}/events`, { headers });
  expect(response.status).toBe(200);
  let text = '';
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const read = async (): Promise<string> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (/event: ?progress/.test(text)) begin();
    }
    return text;
  };
  return { begun, ended: read() };
}

async function signIn(on: DashboardBed, key: string): Promise<string> {
  const { headers } = await on.ask(null, { method: 'POST', url: '/api/session', body: { key } });
  return String(headers['set-cookie']).split('; ')[0] ?? '';
}

test('events end when their key is revoked, here or by another process, and those of others go on', async () => {
  const run = await endlessRun(bed);
  const [here, elsewhere, other] = [
    await bed.newKey('read'),
    await bed.newKey('read'),
    await bed.newKey('read'),
  ];
  const listening = [];
  for (const { key } of [here, elsewhere, other]) {
    const events = await listen(bed, run, { authorization: `Bearer ${key}` });
    await events.begun;
    listening.push(events);
  }
  const [first, second, third] = listening;
  await bed.ask('admin', { method: 'DELETE', url: `/api/keys/${here.id}` });
  expect(await first?.ended).not.toMatch(/event: ?over/);
  // As `tocsin keys revoke` does.
  await revokeKey(bed.database.pool, elsewhere.id);
  await second?.ended;
  let over = false;
  void third?.ended.then(() => {
    over = true;
  });
  await bed.database.pool.query('update api_keys set expires_at = now() where id = $1', [other.id]);
  expect(over).toBe(false);
  await third?.ended;
});

test('events end with a sign-out, and with the session', async () => {
  const run = await endlessRun(bed);
  const [cookie, late] = [await signIn(bed, bed.keys.read.key), await signIn(bed, bed.keys.read.key)];
  const [first, second] = [await listen(bed, run, { cookie }), await listen(bed, run, { cookie: late })];
  await Promise.all([first.begun, second.begun]);
  await bed.ask(null, { method: 'DELETE', url: '/api/session', headers: { cookie } });
  await first.ended;
  expect((await bed.ask(null, { url: '/api/me', headers: { cookie: late } })).status).toBe(200);
  await bed.database.pool.query('update sessions set expires_at = now()');
  await second.ended;
});

test('what was let in without a key ends with the first key', async () => {
  const run = await endlessRun(keyless);
  const events = await listen(keyless, run, {});
  await events.begun;
  await keyless.newKey('admin');
  await events.ended;
});

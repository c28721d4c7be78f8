import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { scratchDir } from '../setup/provided.js';
import { randomRows } from '../setup/random-words.js';
import { goldenGuard, TocsinProcess, tocsin, writeJsonl } from '../setup/tocsin.js';
import { HookReceiver, SECRET } from './schedule-bed.js';

const GUARD = goldenGuard('llama-residual');

let database: TestDatabase;
let receiver: HookReceiver;
let corpus: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  database = await TestDatabase.empty();
  receiver = await HookReceiver.start();
  corpus = await writeJsonl(join(scratchDir(), 'messages.jsonl'), randomRows(40, 12));
  env = {
    DATABASE_URL: database.url,
    HOOK_SECRET: SECRET,
    TOCSIN_WEBHOOK_ALLOW_PRIVATE: '1',
    REDIS_URL: undefined,
  };
});
afterAll(async () => {
  await receiver.close();
  await database.close();
});

/** Runs `tocsin schedule ...` successfully. @returns its JSON output */
async function schedule(...args: string[]): Promise<Record<string, unknown>> {
  const ended = await tocsin(['schedule', ...args, '--json'], { env });
  if (ended.exitCode !== 0) throw new Error(ended.stderr);
  return JSON.parse(String(ended.stdout)) as Record<string, unknown>;
}

const add = (name: string, ...more: string[]): Promise<Record<string, unknown>> =>
  schedule('add', name, corpus, ...GUARD, '--cron', '30 2 * * *', '--time-zone', 'Europe/Berlin', ...more);
const webhook = (): string[] => ['--webhook', receiver.url, '--webhook-secret-env', 'HOOK_SECRET'];

test('a schedule is added, shown, paused, resumed and removed', async () => {
  const added = await add('office', '--threshold', '0.25', '--retain', 'none');
  expect(added).toMatchObject({
    name: 'office',
    cron: '30 2 * * *',
    timeZone: 'Europe/Berlin',
    enabled: true,
    webhook: null,
    request: { sources: [corpus], threshold: 0.25, retain: 'none' },
  });
  expect(added.nextTimes).toHaveLength(5);
  expect(await schedule('pause', 'office')).toEqual({ name: 'office', enabled: false });
  expect(await schedule('show', 'office')).toMatchObject({ enabled: false, nextTimes: [] });
  expect(await schedule('resume', 'office')).toMatchObject({ enabled: true });

  const list = await tocsin(['schedule', 'list'], { env });
  expect(String(list.stdout)).toMatch(/office.*30 2 \* \* \*.*Europe\/Berlin/);
  const again = await tocsin(['schedule', 'add', 'office', corpus, ...GUARD, '--cron', '0 0 * * *'], { env });
  expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/named office already/) });
  expect(await schedule('remove', 'office')).toEqual({ name: 'office', removed: true });
  const gone = await tocsin(['schedule', 'show', 'office'], { env });
  expect(gone).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/no schedule named office/) });
});

test.each<[string, string[], RegExp]>([
  ['a cron expression of six fields', ['--cron', '0 0 2 * * *'], /has 5 fields/],
  [
    'no time zone',
    ['--cron', '0 2 * * *', '--time-zone', 'Mars/Olympus'],
    /"Mars\/Olympus" is not a time zone/,
  ],
  [
    'the secret instead of its name',
    ['--cron', '0 2 * * *', '--webhook', 'https://example.com/', '--webhook-secret-env', SECRET],
    /expected the name/,
  ],
  [
    'a password in the URL',
    ['--cron', '0 2 * * *', '--webhook', 'https://ann:s3cret@example.com/'],
    /contains a user or a password/,
  ],
  ['a secret of no webhook', ['--cron', '0 2 * * *', '--webhook-secret-env', 'HOOK'], /there is none/],
])('%s is refused', async (_what, args, message) => {
  const ended = await tocsin(['schedule', 'add', 'bad', corpus, ...GUARD, ...args], { env });
  expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(message) });
  expect(ended.stderr).not.toMatch(/s3cret|whsec_CQkJ|bug in Tocsin/);
});

test.each<[string, string, RegExp]>([
  ['standard input', '-', /cannot read standard input/],
  ['a password in a source', 'postgres://ann:s3cret@db.example/app', /contains a password/],
])('%s is no corpus of a schedule', async (_what, source, message) => {
  const args = ['schedule', 'add', 'bad', source, ...GUARD, '--cron', '0 2 * * *'];
  const ended = await tocsin(args, { env });
  expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(message) });
  expect(ended.stderr).not.toContain('s3cret');
});

test('by default no private address and no http is called', async () => {
  const strict = { ...env, TOCSIN_WEBHOOK_ALLOW_PRIVATE: undefined };
  for (const url of [receiver.url, 'https://127.0.0.1/', 'https://[::ffff:10.0.0.1]/']) {
    const args = ['schedule', 'add', 'bad', corpus, ...GUARD, '--cron', '0 2 * * *', '--webhook', url];
    const ended = await tocsin(args, { env: strict });
    expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/--allow-private-webhooks/) });
    expect(ended.stderr).not.toContain('hidden-path');
  }
});

test('a nightly run: scored by a worker, told once though the scheduler is killed over it; the next night only what is new', async () => {
  await add('nightly', ...webhook());
  const tested = await schedule('test-webhook', 'nightly');
  expect(tested).toEqual({ name: 'nightly', kind: 'delivered', status: 204 });
  expect(receiver.verified(0)).toMatchObject({ type: 'test', data: { schedule: 'nightly' } });

  const worker = new TocsinProcess(['work', ...GUARD, '--threads', '1'], { env });
  let serving = new TocsinProcess(['schedule', 'serve'], { env });
  // The receiver accepts the message but does not respond: the run has ended, and whether it was delivered is unknown.
  receiver.answers = ['hang'];
  await schedule('run-now', 'nightly');
  await until(() => receiver.received[1]);
  serving.kill('SIGKILL');
  expect(await serving.ended).toMatchObject({ signal: 'SIGKILL' });
  const { firings } = await schedule('show', 'nightly');
  expect(firings).toMatchObject([{ state: 'done', summary: { rows: 40, new: 40, known: 0 } }]);
  // The killed process's lease of half a minute has expired.
  await database.pool.query('update deliveries set next_at = now()');

  serving = new TocsinProcess(['schedule', 'serve'], { env });
  await until(() => receiver.received[2]);
  expect(receiver.received[2]?.id).toBe(receiver.received[1]?.id);
  expect(receiver.received[2]?.body).toBe(receiver.received[1]?.body);
  expect(receiver.verified(2)).toMatchObject({ type: 'run.done', data: { rows: 40, new: 40, drift: null } });
  await until(async () => {
    const { rows } = await database.pool.query(`select state from deliveries where state <> 'pending'`);
    return rows[0];
  });
  expect(await schedule('deliveries', 'nightly')).toMatchObject({ state: 'delivered', attempts: 2 });

  const more = randomRows(3, 12, 2).map(({ text }) => JSON.stringify({ text: `new ${text}` }));
  await appendFile(corpus, `${more.join('\n')}\n`);
  await schedule('run-now', 'nightly');
  await until(() => receiver.received[3]);
  expect(receiver.verified(3).data).toMatchObject({
    rows: 43,
    new: 3,
    known: 40,
    rejected: 0,
    drift: { rows: 40, otherGuard: false, kolmogorovSmirnov: expect.any(Number) },
  });
  const { rows } = await database.pool.query('select count(score) as count from scores');
  expect(rows).toEqual([{ count: 43 }]);

  for (const one of [serving, worker]) {
    one.kill('SIGTERM');
    const { exitCode, stderr } = await one.ended;
    expect(exitCode).toBe(0);
    expect(stderr).not.toMatch(/hidden-path|CQkJCQkJ/);
  }
}, 300_000);

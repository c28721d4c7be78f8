import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { goldenGuard, TocsinProcess, tocsin } from '../setup/tocsin.js';

const GUARD = 'qwen3-residual';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

const env = () => ({ DATABASE_URL: database.url });
const run = (...args: string[]) => tocsin(args, { env: env() });

/** A server on a free port. */
async function serve(...args: string[]): Promise<{ server: TocsinProcess; origin: string }> {
  const server = new TocsinProcess(['dashboard', ...goldenGuard(GUARD), '--port', '0', ...args], {
    env: env(),
  });
  return { server, origin: await server.said(/http:\/\/127\.0\.0\.1:\d+(?=; Ctrl-C)/) };
}

test('it serves this machine until there is a key, then every holder of one; it takes a corpus and stops when told', async () => {
  const refused = await run('dashboard', ...goldenGuard(GUARD), '--host', '0.0.0.0', '--port', '0');
  expect(refused).toMatchObject({ exitCode: 1 });
  expect(refused.stderr).toMatch(
    /there is no key yet, and 0\.0\.0\.0 can be reached.*\n.*tocsin keys create/s,
  );

  const { server, origin } = await serve();
  const me = (key?: string) =>
    fetch(`${origin}/api/me`, key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } });
  expect(await (await me()).json()).toMatchObject({ name: 'local', keyless: true });

  const lockedOut = await run('keys', 'create', 'night shift', '--role', 'submit');
  expect(lockedOut).toMatchObject({ exitCode: 1 });
  expect(lockedOut.stderr).toMatch(/there is no admin key yet.*\n.*--without-admin/s);
  expect((await me()).status).toBe(200);
  await run('keys', 'create', 'admin');
  const created = await run('keys', 'create', 'night shift', '--role', 'submit', '--expires', '30d');
  const key = String(created.stdout).trim();
  expect(created.stderr).toMatch(/^Key of night shift \(submit until \d{4}-/);
  expect((await me()).status).toBe(401);
  expect(await (await me(key)).json()).toMatchObject({ name: 'night shift', role: 'submit' });

  const upload = new FormData();
  upload.set('name', 'by form');
  upload.set('file', new Blob(['{"text":"one"}\nnot json\n{"text":"two"}\n']), 'rows.jsonl');
  const made = await fetch(`${origin}/api/runs/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: upload,
  });
  expect(made.status).toBe(202);
  const submitted = async () => {
    const { stdout } = await run('runs', '--json');
    return JSON.parse(String(stdout)) as { name: string; rows: number; rejected: number; state: string };
  };
  await expect.poll(submitted).toMatchObject({ name: 'by form', rows: 3, rejected: 1, state: 'scoring' });

  const listed = await run('keys', 'list', '--json');
  expect(String(listed.stdout)).not.toContain(key);
  const [newest = ''] = String(listed.stdout).split('\n');
  const { prefix } = JSON.parse(newest) as { prefix: string };
  expect(await run('keys', 'revoke', prefix)).toMatchObject({ exitCode: 0 });
  // The server polls within a second.
  await expect.poll(async () => (await me(key)).status).toBe(401);
  expect(await run('keys', 'revoke', 'tcs_nobody')).toMatchObject({ exitCode: 1 });

  server.kill('SIGTERM');
  expect(await server.ended).toMatchObject({ exitCode: 0 });
  expect(server.stderr).not.toContain(key);
});

test('an address that is taken is told in words', async () => {
  const { server, origin } = await serve();
  const { port } = new URL(origin);
  const second = await run('dashboard', ...goldenGuard(GUARD), '--port', port);
  expect(second.exitCode).toBe(1);
  expect(second.stderr).toMatch(
    new RegExp(`cannot serve the dashboard at 127.0.0.1:${port}.*\\nChoose another --port`),
  );
  server.kill('SIGINT');
  await server.ended;
});

import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { writeOwn } from './data-dir.js';
import { choosePort, HOST, rememberPort } from './settings.js';
import { plainDir, TestBed } from './test-bed.js';

const bed = new TestBed();
afterEach(() => bed.clear());

test('the port of the last time, unless it is taken or nonsense', async () => {
  const dir = plainDir(await bed.directory());
  const port = await choosePort(dir);
  expect(port).toBeGreaterThanOrEqual(20_000);
  expect(port).toBeLessThan(32_000);
  await rememberPort(dir, port);
  expect(await choosePort(dir)).toBe(port);

  const server = createServer().listen(port, HOST);
  await once(server, 'listening');
  expect(await choosePort(dir)).not.toBe(port);
  server.close();

  await writeOwn(dir, 'port', 'seven');
  expect(await choosePort(dir)).toBeGreaterThanOrEqual(20_000);
});

/**
 * `npm run fuzz [-- --requests 10000] [--seed n]`: malformed and hostile requests, generated from the OpenAPI document.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPool, startEmbedded } from '@tocsin/postgres';
import { migrateSchema } from '@tocsin/store';
import { fuzz } from './fuzz.js';
import { FuzzStage } from './fuzz-stage.js';
import { closeConnections } from './send.js';

const { values } = parseArgs({ options: { requests: { type: 'string' }, seed: { type: 'string' } } });
const requests = Number(values.requests ?? 10_000);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);

const dir = await mkdtemp(join(tmpdir(), 'tocsin-fuzz-'));
// As root, the embedded server runs as another user, which needs access to its directory.
await chmod(dir, 0o755);
const server = await startEmbedded({ dataDir: join(dir, 'postgres') });
try {
  const pool = createPool(server.url, { applicationName: 'tocsin fuzz', max: 1 });
  await migrateSchema(pool);
  await pool.end();
  const stage = await FuzzStage.open({ databaseUrl: server.url, cacheDir: join(dir, 'cache') });
  try {
    console.log(`${requests} requests, seed ${seed}`);
    const started = performance.now();
    const { statuses } = await fuzz(stage, { requests, seed });
    const seconds = (performance.now() - started) / 1000;
    console.log(`answered, in ${seconds.toFixed(0)} s, by status:`, statuses);
  } finally {
    closeConnections();
    await stage.close();
  }
} finally {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
}

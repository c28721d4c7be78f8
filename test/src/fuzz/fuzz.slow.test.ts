import { join } from 'node:path';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { fuzz } from './fuzz.js';
import { FuzzStage } from './fuzz-stage.js';
import { closeConnections } from './send.js';

/** `npm run fuzz` sends 10,000. */
const REQUESTS = 400;

let database: TestDatabase;
let stage: FuzzStage;
beforeAll(async () => {
  database = await TestDatabase.migrated();
  stage = await FuzzStage.open({ databaseUrl: database.url, cacheDir: join(inject('scratch'), 'cache') });
});
afterAll(async () => {
  closeConnections();
  await stage.close();
  await database.close();
});

test('whatever is asked, the server answers: no failure, no text of another key', async () => {
  const seed = Date.now() % 2 ** 31;
  console.log(`fuzz: seed ${seed}`);
  const { statuses } = await fuzz(stage, { requests: REQUESTS, seed });
  // Some are accepted.
  expect(statuses[200] ?? 0).toBeGreaterThan(REQUESTS / 40);
  expect(statuses[400] ?? 0).toBeGreaterThan(REQUESTS / 20);
  expect(statuses[404] ?? 0).toBeGreaterThan(REQUESTS / 40);
});

import { messageOf, UserError } from '@tocsin/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { audit } from '../access/audit.js';
import { addPolicy } from '../policies/policies.js';
import { TestDatabase } from '../testing/index.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

test('an error is that of Postgres: with its code, and without what was to be stored', async () => {
  const { pool } = database;
  // A NUL, which no text column takes.
  const entry = { keyId: null, who: 'anna', action: 'text.read', subject: 'a secret\0' };
  const error: unknown = await audit(pool, entry).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: '22021' });
  expect(messageOf(error)).not.toContain('secret');
  const policy = { name: 'strict', threshold: 0.2, meaning: 'again' };
  await expect(addPolicy(pool, policy, { who: 'anna' })).rejects.toBeInstanceOf(UserError);
});

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TestDatabase } from '../testing/index.js';
import { addPolicy, changePolicy, findPolicy, listPolicies, policyChanges } from './policies.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query(
    `delete from policy_changes where policy_id in (select id from policies where name not in ('strict', 'default', 'permissive'))`,
  );
  await database.pool.query(`delete from policies where name not in ('strict', 'default', 'permissive')`);
});

const anna = { who: 'anna' };
const NEW = { name: 'night', threshold: 0.25, meaning: 'For the night desk.' };

test('there are three to begin with', async () => {
  const policies = await listPolicies(database.pool);
  expect(policies).toMatchObject([
    { name: 'strict', threshold: 0.1, archivedAt: null, changedBy: 'tocsin' },
    { name: 'default', threshold: 0.5 },
    { name: 'permissive', threshold: 0.9 },
  ]);
  expect(await policyChanges(database.pool, policies[0]?.id ?? 0, { limit: 9 })).toMatchObject([
    { what: 'created', thresholdFrom: null, thresholdTo: 0.1 },
  ]);
});

test('each part that is changed is kept: who, when, from, to, why', async () => {
  const { pool } = database;
  const { id } = await addPolicy(pool, NEW, anna);
  const changed = await changePolicy(
    pool,
    'night',
    { name: 'late', threshold: 0.3, meaning: 'For late hours.' },
    { who: 'ben', note: 'too many' },
  );
  expect(changed).toMatchObject({ id, name: 'late', threshold: 0.3, changedBy: 'ben' });
  const changes = await policyChanges(pool, id, { limit: 9 });
  expect(changes).toMatchObject([
    { who: 'ben', what: 'renamed', wordsFrom: 'night', wordsTo: 'late', note: 'too many' },
    { who: 'ben', what: 'meaning', wordsFrom: 'For the night desk.', wordsTo: 'For late hours.' },
    { who: 'ben', what: 'threshold', thresholdFrom: 0.25, thresholdTo: 0.3, wordsFrom: null },
    { who: 'anna', what: 'created', thresholdTo: 0.25, note: null },
  ]);
  const before = changes[2]?.id;
  expect(await policyChanges(pool, id, { limit: 1, before })).toEqual([changes[3]]);
  expect(await findPolicy(pool, 'night')).toBeUndefined();
});

test('what stays as it was leaves no entry', async () => {
  const { pool } = database;
  const policy = await addPolicy(pool, NEW, anna);
  expect(await changePolicy(pool, 'night', { threshold: 0.25, archived: false }, { who: 'ben' })).toEqual(
    policy,
  );
  expect(await changePolicy(pool, 'nobody', { threshold: 0.25 }, anna)).toBeUndefined();
});

test('one that is archived is not listed, keeps its name, and can be restored', async () => {
  const { pool } = database;
  const { id } = await addPolicy(pool, NEW, anna);
  await changePolicy(pool, 'night', { archived: true }, anna);
  expect((await listPolicies(pool)).map(({ name }) => name)).not.toContain('night');
  expect((await listPolicies(pool, { archived: true })).at(-1)?.archivedAt).toBeInstanceOf(Date);
  await expect(addPolicy(pool, NEW, anna)).rejects.toThrow('there is a policy named night already');
  expect(await changePolicy(pool, 'night', { archived: false }, anna)).toMatchObject({ archivedAt: null });
  expect((await policyChanges(pool, id, { limit: 9 })).map(({ what }) => what)).toEqual([
    'restored',
    'archived',
    'created',
  ]);
});

test('a name that is taken and a threshold that is none are refused, and nothing is changed', async () => {
  const { pool } = database;
  const policy = await addPolicy(pool, NEW, anna);
  await expect(changePolicy(pool, 'night', { name: 'strict', threshold: 0.9 }, anna)).rejects.toThrow(
    'there is a policy named strict already',
  );
  for (const threshold of [-0.1, 1.1, Number.NaN]) {
    await expect(changePolicy(pool, 'night', { threshold }, anna)).rejects.toThrow('is not between 0 and 1');
    await expect(addPolicy(pool, { ...NEW, threshold }, anna)).rejects.toThrow('is not between 0 and 1');
  }
  expect(await findPolicy(pool, 'night')).toEqual(policy);
});

test('of many who change one at once, each is kept in its turn', async () => {
  const { pool } = database;
  const { id } = await addPolicy(pool, NEW, anna);
  const thresholds = Array.from({ length: 12 }, (_, i) => (i + 1) / 16);
  await Promise.all(thresholds.map((threshold) => changePolicy(pool, 'night', { threshold }, anna)));
  const changes = (await policyChanges(pool, id, { limit: 99 })).filter(({ what }) => what === 'threshold');
  for (const [i, change] of changes.entries()) {
    expect(change.thresholdFrom).toBe(changes[i + 1]?.thresholdTo ?? 0.25);
  }
  expect(changes[0]?.thresholdTo).toBe((await findPolicy(pool, 'night'))?.threshold);
});

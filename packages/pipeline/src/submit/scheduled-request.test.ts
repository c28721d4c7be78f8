import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readScheduledRequest, type ScheduledRequest, scheduledRequestOf } from './scheduled-request.js';

const REQUEST: ScheduledRequest = { sources: ['a.jsonl'], reading: {}, guard: { ref: 'starter' } };

test('paths are kept absolute, names on the hub and databases as they are', () => {
  const request = scheduledRequestOf({
    sources: ['logs/*.jsonl', '/data/a.csv', 'postgres://ann@db.example/app'],
    reading: { fields: { text: 'body' }, roots: ['logs'] },
    guard: { ref: 'owner/name@main', backbone: 'package.json' },
    queryFile: 'rows.sql',
    threshold: 0.3,
  });
  expect(request).toEqual({
    sources: [resolve('logs/*.jsonl'), '/data/a.csv', 'postgres://ann@db.example/app'],
    reading: { fields: { text: 'body' }, roots: [resolve('logs')] },
    guard: { ref: 'owner/name@main', backbone: resolve('package.json') },
    queryFile: resolve('rows.sql'),
    threshold: 0.3,
  });
  expect(readScheduledRequest(JSON.parse(JSON.stringify(request)))).toEqual(request);
});

test.each([
  ['-', /standard input/],
  ['postgres://ann:s3cret@db.example/app', /contains a password/],
  ['postgres://db.example/app?password=s3cret', /contains a password/],
])('%s is refused', (source, message) => {
  expect(() => scheduledRequestOf({ ...REQUEST, sources: [source] })).toThrow(message);
});

test.each([
  null,
  {},
  { ...REQUEST, sources: 'a.jsonl' },
  { ...REQUEST, guard: 'starter' },
  { ...REQUEST, reading: { colour: 'red' } },
  { corpus: ['a.jsonl'], flags: { guard: 'starter' } },
])('%j is no request', (stored) => {
  expect(() => readScheduledRequest(stored)).toThrow(/cannot be read/);
});

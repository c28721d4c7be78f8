import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readRequest, requestOf, type SubmitOptionFlags } from './request.js';

const flags: SubmitOptionFlags = {
  guard: 'starter',
  textField: 'text',
  promptField: 'prompt',
  responseField: 'response',
  messagesField: 'messages',
  toolsField: 'tools',
  idField: 'id',
};

test('paths are kept absolute, names on the hub and databases as they are', () => {
  const request = requestOf(['logs/*.jsonl', '/data/a.csv', 'postgres://ann@db.example/app'], {
    ...flags,
    guard: 'owner/name@main',
    backbone: 'package.json',
    queryFile: 'rows.sql',
    dataDir: '/elsewhere',
  });
  expect(request.corpus).toEqual([resolve('logs/*.jsonl'), '/data/a.csv', 'postgres://ann@db.example/app']);
  expect(request.flags).toMatchObject({
    guard: 'owner/name@main',
    backbone: resolve('package.json'),
    queryFile: resolve('rows.sql'),
  });
  expect(request.flags).not.toHaveProperty('dataDir');
  expect(readRequest(JSON.parse(JSON.stringify(request)))).toEqual(request);
});

test.each([
  ['-', /standard input/],
  ['postgres://ann:s3cret@db.example/app', /holds a password/],
  ['postgres://db.example/app?password=s3cret', /holds a password/],
])('%s is refused', (source, message) => {
  expect(() => requestOf([source], flags)).toThrow(message);
});

test.each([null, {}, { corpus: 'a.jsonl', flags }, { corpus: ['a.jsonl'] }])(
  '%j is no request',
  (request) => {
    expect(() => readRequest(request)).toThrow(/cannot be read/);
  },
);

import { describe, expect, test } from 'vitest';
import { explainServer, reasonOf, serverError } from './index.js';
import { checkServerUrl } from './urls.js';

const failed = (code: string, message = 'what the server said'): Error =>
  Object.assign(new Error(message), { code });

describe('what a server says is explained', () => {
  test.each([
    ['53100', /disk of the database server is full/],
    ['42501', /lacks a privilege/],
    ['42P07', /already exists/],
    ['57P03', /starting/],
    ['25006', /standby/],
    ['ENOSPC', /no space is left/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /certificate/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /certificate/],
  ])('%s', (code, why) => {
    const error = serverError(failed(code));
    expect(error?.message).toMatch(why);
    expect(error?.message).toContain('(what the server said)');
    expect(error?.hint).toMatch(/\.$/);
  });

  test('a self-signed certificate names sslmode=no-verify', () => {
    expect(explainServer(failed('DEPTH_ZERO_SELF_SIGNED_CERT'))?.todo).toContain('sslmode=no-verify');
  });

  test.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", /maxmemory/],
    [
      "ERR Error running script: @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'",
      /maxmemory/,
    ],
    ['NOAUTH Authentication required.', /password/],
    ["READONLY You can't write against a read only replica.", /replica/],
    [
      'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.',
      /disk/,
    ],
    ['LOADING Redis is loading the dataset in memory', /not ready/],
  ])('Redis: %s', (message, why) => {
    expect(explainServer(new Error(message))?.why).toMatch(why);
  });

  test('however deep it lies, and in a reason too', () => {
    const wrapped = new Error('Failed query: insert', { cause: new AggregateError([failed('53100')]) });
    expect(reasonOf(wrapped)).toMatch(/^the disk of the database server is full .*\nMake room/);
  });

  test.each([new TypeError('x is not a function'), failed('42601'), failed('23505'), undefined, 'text'])(
    'a defect of ours is not: %s',
    (error) => expect(explainServer(error)).toBeUndefined(),
  );

  test('an error that is its own cause ends', () => {
    const error = new Error('round');
    error.cause = error;
    expect(explainServer(error)).toBeUndefined();
  });
});

describe('an address that reads as it was meant', () => {
  test.each([
    'postgres://ann:p%40ss%2Fword@host:5432/db',
    'postgresql://ann@host/db?sslmode=no-verify&user=a@b',
    'postgres:///db?host=/var/run/postgresql',
    'postgres://ann@/db?host=/var/run/postgresql',
    'postgres://[::1]:5432/db',
    '/var/run/postgresql db',
  ])('%s', (url) => expect(() => checkServerUrl('DATABASE_URL', url)).not.toThrow());
  test.each(['redis://:p%40@host:6379/2', 'rediss://user:pass@host', 'redis://localhost'])('%s', (url) =>
    expect(() => checkServerUrl('REDIS_URL', url)).not.toThrow(),
  );
  test.each(['mysql://host/db', 'localhost:5432', 'redis://host'])('%s is no address of Postgres', (url) =>
    expect(() => checkServerUrl('DATABASE_URL', url)).toThrow(
      /DATABASE_URL cannot be read: it does not begin/,
    ),
  );
});

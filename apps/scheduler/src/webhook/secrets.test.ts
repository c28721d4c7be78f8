import { expect, test } from 'vitest';
import { parseSecretEnv, readSecrets } from './send.js';

const KEY = Buffer.alloc(32, 7).toString('base64');

test('one secret, or several while one replaces the other', () => {
  expect(readSecrets({ HOOK: `whsec_${KEY}` }, 'HOOK')).toEqual([`whsec_${KEY}`]);
  expect(readSecrets({ HOOK: ` ${KEY}\n whsec_${KEY} ` }, 'HOOK')).toEqual([KEY, `whsec_${KEY}`]);
});

test('one that is not set, or no secret, is named by its variable and not repeated', () => {
  expect(() => readSecrets({}, 'HOOK')).toThrow(/^HOOK, the variable with the webhook's secret, is not set$/);
  for (const value of ['hunter2', `whsec_${'x'.repeat(31)}`, `whsec_${Buffer.alloc(8).toString('base64')}`]) {
    expect(() => readSecrets({ HOOK: value }, 'HOOK')).toThrow(
      /^HOOK contains no webhook secret: expected whsec_ and/,
    );
  }
});

test('what is no name of a variable may be the secret itself, and is not repeated', () => {
  expect(parseSecretEnv('TOCSIN_WEBHOOK_SECRET')).toBe('TOCSIN_WEBHOOK_SECRET');
  for (const name of [`whsec_${KEY}`, KEY, 'lower_case', 'WHSEC_ABCD', '']) {
    expect(() => parseSecretEnv(name)).toThrow(/^expected the name of the environment variable/);
  }
});

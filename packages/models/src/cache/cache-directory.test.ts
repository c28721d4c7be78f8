import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { cacheDirectory } from './cache-directory.js';

const env = { TOCSIN_CACHE: '/t', XDG_CACHE_HOME: '/x', HOME: '/home/ada', LOCALAPPDATA: '/local' };

test('an explicit directory wins, then TOCSIN_CACHE, then XDG_CACHE_HOME', () => {
  expect(cacheDirectory({ cacheDir: '/explicit', env })).toBe('/explicit');
  expect(cacheDirectory({ env })).toBe('/t');
  expect(cacheDirectory({ env: { ...env, TOCSIN_CACHE: undefined } })).toBe(join('/x', 'tocsin'));
});

test.each([
  ['linux', join('/home/ada', '.cache', 'tocsin')],
  ['darwin', join('/home/ada', 'Library', 'Caches', 'tocsin')],
  ['win32', join('/local', 'tocsin')],
] as const)('without variables each platform has its place: %s', (platform, expected) => {
  const plain = { HOME: '/home/ada', LOCALAPPDATA: '/local' };
  expect(cacheDirectory({ env: plain, platform })).toBe(expected);
});

test('empty variables are unset ones, a relative XDG_CACHE_HOME too', () => {
  const empty = { TOCSIN_CACHE: '', XDG_CACHE_HOME: 'relative', HOME: '' };
  expect(cacheDirectory({ env: empty, platform: 'linux' })).toBe(join(homedir(), '.cache', 'tocsin'));
});

test('a relative directory is taken from the working directory', () => {
  expect(cacheDirectory({ cacheDir: 'here', env: {} })).toBe(resolve('here'));
  expect(cacheDirectory({ env: { TOCSIN_CACHE: 'there' } })).toBe(resolve('there'));
});

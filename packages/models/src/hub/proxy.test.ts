import { expect, test } from 'vitest';
import { proxyFor } from './proxy.js';

const target = new URL('https://hub.example/api');

test.each([
  [{}, undefined],
  [{ HTTP_PROXY: 'http://p:1' }, undefined],
  [{ HTTPS_PROXY: 'http://p:1' }, 'p:1'],
  [{ HTTPS_PROXY: 'http://p:1', https_proxy: 'http://q:2' }, 'q:2'],
  [{ ALL_PROXY: 'p:3128' }, 'p:3128'],
  [{ HTTPS_PROXY: 'http://ada:secret@p:1' }, 'p:1'],
  [{ HTTPS_PROXY: '' }, undefined],
])('the proxy of an https URL: %j', (env, host) => {
  expect(proxyFor(target, env)?.url.host).toBe(host);
});

test.each([
  ['*', false],
  ['hub.example', false],
  ['example', false],
  ['.example', false],
  ['other.example, hub.example:443', false],
  ['hub.example:80', true],
  ['ub.example', true],
  ['', true],
])('NO_PROXY=%s', (list, proxied) => {
  expect(proxyFor(target, { HTTPS_PROXY: 'http://p:1', NO_PROXY: list }) !== undefined).toBe(proxied);
});

test.each(['ftp://p', 'http://'])('a value that is no URL is told by its variable: %s', (value) => {
  expect(() => proxyFor(target, { HTTPS_PROXY: value })).toThrow(/^HTTPS_PROXY is no http or https URL$/);
});

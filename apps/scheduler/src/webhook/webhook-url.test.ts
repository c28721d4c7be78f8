import { describe, expect, test } from 'vitest';
import { addressOfHost, allowPrivateOf, isPublicAddress, parseWebhookUrl, shownUrl } from './webhook-url.js';

const strict = { allowPrivate: false };
const loose = { allowPrivate: true };

describe('refused, without a word of what may be a credential', () => {
  test.each([
    ['no URL s3cret', strict, /is not an https URL/],
    ['ftp://example.com/s3cret', strict, /is not an https URL/],
    ['file:///s3cret', loose, /is not an https URL/],
    ['https://ann:s3cret@example.com/', strict, /contains a user or a password/],
    ['https://s3cret@example.com/', loose, /contains a user or a password/],
    ['http://example.com/s3cret', strict, /at http:\/\/example\.com\/\*\*\* is http/],
    ['https://127.0.0.1/s3cret', strict, /127\.0\.0\.1 is not a public address/],
    ['https://[::ffff:10.1.2.3]/s3cret', strict, /is not a public address/],
    ['https://169.254.169.254/s3cret', strict, /169\.254\.169\.254 is not a public address/],
    ['https://2130706433/s3cret', strict, /127\.0\.0\.1 is not a public address/],
  ])('%s', (url, rules, message) => {
    let refused: unknown;
    try {
      parseWebhookUrl(url, rules);
    } catch (error) {
      refused = error;
    }
    expect(refused).toMatchObject({ name: 'UserError', message: expect.stringMatching(message) });
    expect(String(refused)).not.toContain('s3cret');
  });
});

test('http and private addresses can be allowed', () => {
  expect(parseWebhookUrl('http://127.0.0.1:9000/hook', loose).port).toBe('9000');
  expect(parseWebhookUrl('https://example.com/hook', strict).hostname).toBe('example.com');
});

test('path and query are not shown', () => {
  expect(shownUrl('https://example.com:8443/T000/s3cret?token=1')).toBe('https://example.com:8443/***');
  expect(shownUrl('https://example.com')).toBe('https://example.com/');
});

test('the variable that allows it says yes or no', () => {
  expect(allowPrivateOf({})).toBe(false);
  expect(allowPrivateOf({ TOCSIN_WEBHOOK_ALLOW_PRIVATE: '0' })).toBe(false);
  expect(allowPrivateOf({ TOCSIN_WEBHOOK_ALLOW_PRIVATE: '1' })).toBe(true);
  expect(() => allowPrivateOf({ TOCSIN_WEBHOOK_ALLOW_PRIVATE: 'maybe' })).toThrow(/"maybe", expected 1 or 0/);
});

test.each(['8.8.8.8', '93.184.215.14', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  ['loopback', '127.0.0.1'],
  ['loopback', '127.255.1.2'],
  ['loopback', '::1'],
  ['this host', '0.0.0.0'],
  ['this host', '::'],
  ['private', '10.0.0.1'],
  ['private', '172.16.9.9'],
  ['private', '192.168.1.1'],
  ['unique local', 'fd00::1'],
  ['site-local', 'fec0::1'],
  ['link-local, metadata of most clouds', '169.254.169.254'],
  ['link-local', 'fe80::1'],
  ['link-local with a zone', 'fe80::1%eth0'],
  ['carrier-grade NAT, metadata of Alibaba', '100.100.100.200'],
  ['metadata of AWS', 'fd00:ec2::254'],
  ['metadata of Azure', '168.63.129.16'],
  ['metadata of Oracle', '192.0.0.192'],
  ['multicast', '224.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['benchmarks', '198.18.0.1'],
  ['documentation', '203.0.113.4'],
  ['IPv4 in IPv6', '::ffff:127.0.0.1'],
  ['IPv4 in IPv6, in hex', '::ffff:a9fe:a9fe'],
  ['IPv4 in IPv6, the old way', '::127.0.0.1'],
  ['NAT64', '64:ff9b::7f00:1'],
  ['6to4', '2002:7f00:1::'],
  ['Teredo', '2001:0:7f00:1::'],
  ['no address', 'example.com'],
  ['no address', ''],
])('%s: %s is not', (_what, address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test('a host is an address or a name, in whatever notation a URL writes it', () => {
  const addressOf = (url: string): string | undefined => addressOfHost(new URL(url).hostname);
  expect(addressOf('https://[::1]:8443/')).toBe('::1');
  expect(addressOf('https://2130706433/')).toBe('127.0.0.1');
  expect(addressOf('https://0x7f.1/')).toBe('127.0.0.1');
  expect(addressOf('https://127.1/')).toBe('127.0.0.1');
  expect(addressOf('https://example.com/')).toBeUndefined();
});

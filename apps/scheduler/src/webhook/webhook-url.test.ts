import { describe, expect, test } from 'vitest';
import { allowPrivateOf, parseWebhookUrl, shownUrl } from './webhook-url.js';

const strict = { allowPrivate: false };
const loose = { allowPrivate: true };

describe('refused, without a word of what may be a credential', () => {
  test.each([
    ['no URL s3cret', strict, /is no https URL/],
    ['ftp://example.com/s3cret', strict, /is no https URL/],
    ['file:///s3cret', loose, /is no https URL/],
    ['https://ann:s3cret@example.com/', strict, /holds a user or a password/],
    ['https://s3cret@example.com/', loose, /holds a user or a password/],
    ['http://example.com/s3cret', strict, /at http:\/\/example\.com\/\*\*\* is http/],
    ['https://127.0.0.1/s3cret', strict, /127\.0\.0\.1 is no public address/],
    ['https://[::ffff:10.1.2.3]/s3cret', strict, /is no public address/],
    ['https://169.254.169.254/s3cret', strict, /169\.254\.169\.254 is no public address/],
    ['https://2130706433/s3cret', strict, /127\.0\.0\.1 is no public address/],
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

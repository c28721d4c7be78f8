import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressOf, redactUrls, redisUrlOf } from './urls.js';

test('a URL keeps its host and path, and loses its user part, query and fragment', () => {
  expect(redactUrls('ERROR: 403 for https://ada:s3cret@mirror.example/simple/x/?token=abc#d now')).toBe(
    'ERROR: 403 for https://***@mirror.example/simple/x/?*** now',
  );
  expect(redactUrls('git+https://ghp_abc@code.example/x and http://plain.example/y')).toBe(
    'git+https://***@code.example/x and http://plain.example/y',
  );
});

test('a text without a URL stays as it is', () => {
  expect(redactUrls('write to ada@mail.example? 3:4 // no')).toBe('write to ada@mail.example? 3:4 // no');
});

const secret = fc
  .stringMatching(/^[a-zA-Z0-9@:/!$&'()*+,;=%?#._~-]+$/)
  .map((random) => `SECRET${random}SECRET`);

test('no secret survives, whatever it is made of', () => {
  fc.assert(
    fc.property(secret, fc.boolean(), (token, withUser) => {
      const url = `https://${withUser ? 'ada:' : ''}${token}@mirror.example/simple`;
      expect(redactUrls(`Looking in indexes: ${url}, and more`)).not.toContain('SECRET');
      expect(redactUrls(`GET https://mirror.example/x?sig=${token} failed`)).not.toContain('SECRET');
    }),
  );
});

test.each([
  ['postgres://ann:s3cret@host:5432/db', 'postgres://ann@host:5432/db'],
  ['postgres://ann@host/db', 'postgres://ann@host/db'],
  ['redis://:s3cret@host:6379', 'redis://host:6379'],
  ['postgres://host/db?user=ann&password=s3cret', 'postgres://host/db'],
  ['postgres://ann:s3cret@host/db?sslpassword=s3cret#x', 'postgres://ann@host/db'],
  ['postgres://ann:s3@cr:et@host/db', 'postgres://ann@host/db'],
  ['postgres://host/db?password=s3@cret', 'postgres://***'],
  ['host=h password=s3cret', 'the address given (which is no URL)'],
  ['', 'the address given (which is no URL)'],
])('the address of %s is shown as %s', (url, shown) => {
  expect(addressOf(url)).toBe(shown);
});

test('no password survives in an address, whatever it is made of', () => {
  fc.assert(
    fc.property(secret, (password) => {
      expect(addressOf(`postgres://ann:${password}@host:5432/db`)).not.toContain('SECRET');
      expect(addressOf(`postgres://ann@host/db?password=${password}`)).not.toContain('SECRET');
    }),
  );
});

test.each([
  ['redis://host:6379', 'redis://:p%40s%2Fs%25@host:6379'],
  ['redis://ann@host', 'redis://ann:p%40s%2Fs%25@host'],
  ['redis://ann:other@host', 'redis://ann:other@host'],
  ['redis://:other@host', 'redis://:other@host'],
  ['rediss+cluster://a:7000,b:7001', 'rediss+cluster://:p%40s%2Fs%25@a:7000,b:7001'],
])('REDIS_PASSWORD with %s', (REDIS_URL, expected) => {
  expect(redisUrlOf({ REDIS_URL, REDIS_PASSWORD: 'p@s/s%' })).toBe(expected);
});

test('REDIS_URL stays as it is without REDIS_PASSWORD, and is nothing when empty', () => {
  expect(redisUrlOf({ REDIS_URL: 'redis://host', REDIS_PASSWORD: '' })).toBe('redis://host');
  expect(redisUrlOf({ REDIS_URL: '', REDIS_PASSWORD: 'x' })).toBeUndefined();
  expect(redisUrlOf({})).toBeUndefined();
});

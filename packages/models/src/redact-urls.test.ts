import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redactUrls } from './redact-urls.js';

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

test('no secret survives, whatever it is made of', () => {
  const secret = fc
    .stringMatching(/^[a-zA-Z0-9@:/!$&'()*+,;=%?#._~-]+$/)
    .map((random) => `SECRET${random}SECRET`);
  fc.assert(
    fc.property(secret, fc.boolean(), (token, withUser) => {
      const url = `https://${withUser ? 'ada:' : ''}${token}@mirror.example/simple`;
      expect(redactUrls(`Looking in indexes: ${url}, and more`)).not.toContain('SECRET');
      expect(redactUrls(`GET https://mirror.example/x?sig=${token} failed`)).not.toContain('SECRET');
    }),
  );
});

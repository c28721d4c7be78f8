import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseHubRef, textOfPin } from './hub-ref.js';

test.each([
  ['lab/SIREN-Qwen3-0.6B', { repo: 'lab/SIREN-Qwen3-0.6B', revision: undefined }],
  ['a/b@v1.0', { repo: 'a/b', revision: 'v1.0' }],
  ['a/b@refs/pr/3', { repo: 'a/b', revision: 'refs/pr/3' }],
])('%s is a repository', (text, ref) => {
  expect(parseHubRef(text)).toEqual(ref);
});

test.each(['', 'a', 'a/b/c', './x', '../x', 'a/..', 'a--b/c', '/a/b', 'a/b c', 'a\\b', '@v1'])(
  '%j is none',
  (text) => {
    expect(parseHubRef(text)).toBeUndefined();
  },
);

test.each(['a/b@', 'a/b@..', 'a/b@x/../y', 'a/b@/etc', 'a/b@x y', 'a/b@x@y'])(
  '%j has a revision that can be none',
  (text) => {
    expect(() => parseHubRef(text)).toThrow(/is no revision/);
  },
);

test('whatever is taken leads nowhere out of the cache', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a./@\\-]{1,12}$/), (text) => {
      let ref: ReturnType<typeof parseHubRef>;
      try {
        ref = parseHubRef(text);
      } catch {
        return;
      }
      const parts = [...(ref?.repo.split('/') ?? []), ...(ref?.revision?.split('/') ?? [])];
      expect(parts).not.toContain('');
      expect(parts).not.toContain('..');
      expect(parts).not.toContain('.');
    }),
  );
});

test('a pin reads as a reference again', () => {
  const pin = { repo: 'a/b', revision: 'main', commit: 'c'.repeat(40) };
  expect(parseHubRef(textOfPin(pin))).toEqual({ repo: 'a/b', revision: pin.commit });
});

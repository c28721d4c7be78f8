import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTinyPair } from '@tocsin/backbone/testing';
import { UserError } from '@tocsin/core';
import { cleanText, textOf } from '@tocsin/siren';
import { CONTENT_GUARDS, goldenCases, goldenDirs, tempDir } from '@tocsin/siren/testing';
import fc from 'fast-check';
import tokenizers from 'tokenizers';
import { beforeAll, expect, test, vi } from 'vitest';
import { headAndTail, Tokenizer } from './tokenizer.js';

const temp = tempDir();
const tokenizerOf = (guard: Parameters<typeof goldenDirs>[0]): string =>
  join(goldenDirs(guard).backbone, 'tokenizer.json');
/** Three kinds of pre-tokenizers: Llama 3's, Qwen's (single digits, NFC), and the starter's from a GGUF. */
const FILES = {
  llama: tokenizerOf('llama-residual'),
  qwen3: tokenizerOf('qwen3-residual'),
  smollm: join(temp, 'llama-F16', 'tokenizer.json'),
};
type Kind = keyof typeof FILES;
const KINDS = Object.keys(FILES) as Kind[];

beforeAll(async () => {
  await writeTinyPair(temp, 'llama', 'F16');
});

test.each(CONTENT_GUARDS)(
  "%s: the reference's ids of every golden text, alone and together",
  async (guard) => {
    const cases = goldenCases(guard);
    const maxLength = Math.max(...cases.map(({ tokenIds }) => tokenIds.length));
    const tokenizer = await Tokenizer.open(tokenizerOf(guard), maxLength);
    const texts = cases.map(({ input }) => cleanText(textOf(input)));
    const together = await tokenizer.encode(texts);
    for (const [i, { tokenIds }] of cases.entries()) {
      expect([...(together[i]?.tokenIds ?? [])]).toEqual(tokenIds);
      expect(await tokenizer.encode([texts[i] ?? ''])).toEqual([together[i]]);
    }
  },
);

const wholes = new Map<Kind, tokenizers.Tokenizer>();

/** The reference: all ids of the whole text, then truncated. */
async function whole(
  kind: Kind,
  text: string,
  maxLength: number,
): Promise<{ ids: number[]; truncated: boolean }> {
  const tokenizer = wholes.get(kind) ?? tokenizers.Tokenizer.fromString(await readFile(FILES[kind], 'utf8'));
  wholes.set(kind, tokenizer);
  const ids = (await tokenizer.encode(text)).getIds();
  return { ids: ids.slice(0, maxLength), truncated: ids.length > maxLength };
}

/** Pieces of text that a tokenizer treats specially. */
const pieces = fc.oneof(
  fc.constantFrom(' the', ' hello', 'world', " don't", ' I', 'ing'),
  fc.stringMatching(/^[a-z]{1,30}$/),
  fc.stringMatching(/^[0-9]{1,12}$/),
  fc.stringMatching(/^[.,!?;:()'"-]{1,6}$/),
  fc.constantFrom(' ', '\n', '\n\n', '\r\n', ' \n ', '\u00a0', '\u2003\u2003', '\u0085'),
  fc.constantFrom('\u{1f600}', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', '\u{1f44d}\u{1f3fd}', '\u{1d4b3}'),
  fc.constantFrom('e\u0301', '\u0301', '\u0323\u0307', 'a\u0308\u0301', '\u1100\u1161\u11a8', '\u0e33'),
  fc.constantFrom('\u4f60\u597d', '\u043c\u0438\u0440', '\u0645\u0631\u062d\u0628\u0627'),
  fc.constantFrom(
    '<|begin_of_text|>',
    '<|eot_id|>',
    '<|endoftext|>',
    '<|im_start|>',
    '<think>',
    '<|begin',
    '|>',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
/** Texts of a few repeated pieces: from a single word to a new word at every character. */
const longTexts = fc
  .array(fc.tuple(pieces, fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 50, max: 400 }))), {
    minLength: 1,
    maxLength: 12,
  })
  .map((repeated) => repeated.map(([piece, times]) => piece.repeat(times)).join(''));

test.each(KINDS.flatMap((kind) => [1, 5, 40].map((maxLength) => [kind, maxLength] as const)))(
  '%s, %i tokens: a text far too long gives what the whole text gives',
  async (kind, maxLength) => {
    const tokenizer = await Tokenizer.open(FILES[kind], maxLength);
    await fc.assert(
      fc.asyncProperty(fc.array(longTexts, { minLength: 1, maxLength: 3 }), async (texts) => {
        const encoded = await tokenizer.encode(texts);
        for (const [i, text] of texts.entries()) {
          const { ids, truncated } = await whole(kind, text, maxLength);
          expect([...(encoded[i]?.tokenIds ?? [])]).toEqual(ids);
          expect(encoded[i]?.truncated).toBe(truncated);
        }
      }),
      { numRuns: 30 },
    );
  },
);

test.each(KINDS.flatMap((kind) => [1, 6, 41].map((maxLength) => [kind, maxLength] as const)))(
  '%s, %i tokens: both ends of a text far too long are those of the whole text',
  async (kind, maxLength) => {
    const tokenizer = await Tokenizer.open(FILES[kind], maxLength);
    const texts = fc
      .tuple(longTexts, fc.integer({ min: 1, max: 8 }), longTexts)
      // Enough words that the end of the text is not in the same word as the cut.
      .map(([middle, times, end]) => `${`${middle} and so it `.repeat(times)}${end} on. `.repeat(3));
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 3 }), async (given) => {
        const encoded = await tokenizer.encodeEnds(given);
        for (const [i, text] of given.entries()) {
          const { ids } = await whole(kind, text, Number.POSITIVE_INFINITY);
          const kept = headAndTail(ids.length, maxLength).map((at) => ids[at]);
          expect([...(encoded[i]?.tokenIds ?? [])]).toEqual(kept);
          expect(encoded[i]?.truncated).toBe(ids.length > maxLength);
        }
      }),
      { numRuns: 10 },
    );
  },
);

test.each(KINDS)(
  '%s: the tokens of a long text that are kept stand where they stand in the whole',
  async (kind) => {
    const maxLength = 40;
    const tokenizer = await Tokenizer.open(FILES[kind], maxLength);
    const text = `${'The quick 🦊 jumps, and so it goes '.repeat(400)}\u{1f600} on.`;
    const all = await (await Tokenizer.open(FILES[kind], text.length)).encodeSpans(text);
    expect(all.total).toBe(all.tokenIds.length);
    const first = await tokenizer.encodeSpans(text);
    expect(first.spans.slice(0, maxLength)).toEqual(all.spans.slice(0, maxLength));
    expect(first.total).toBeGreaterThan(all.total * 0.9);
    expect(first.total).toBeLessThan(all.total * 1.1);
    const ends = await tokenizer.encodeSpans(text, { ends: true });
    const kept = (spans: typeof all): unknown[] =>
      headAndTail(spans.tokenIds.length, maxLength).map((at) => [spans.tokenIds[at], spans.spans[at]]);
    expect(kept(ends)).toEqual(kept(all));
  },
);

/** Random letters in one word: each token depends on those before it. */
const unbroken = (length: number): string => {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCharCode(97 + (state % 26));
  }).join('');
};

test.each(KINDS)('%s: a word without end costs no more than a shorter one', async (kind) => {
  const maxLength = 40;
  const tokenizer = await Tokenizer.open(FILES[kind], maxLength);
  const encode = vi.spyOn(tokenizers.Tokenizer.prototype, 'encode');
  try {
    const charactersFor = async (text: string): Promise<number> => {
      encode.mockClear();
      const [beginning] = await tokenizer.encode([text]);
      const [ends] = await tokenizer.encodeEnds([text]);
      for (const encoded of [beginning, ends]) {
        expect(encoded?.truncated).toBe(true);
        expect(encoded?.tokenIds).toHaveLength(maxLength);
      }
      for (const spans of [
        await tokenizer.encodeSpans(text),
        await tokenizer.encodeSpans(text, { ends: true }),
      ]) {
        expect(spans.total).toBeGreaterThan(maxLength);
        expect(spans.spans).toHaveLength(spans.tokenIds.length);
      }
      return encode.mock.calls.reduce((sum, [given]) => sum + String(given).length, 0);
    };
    for (const word of [unbroken, (length: number) => 'a'.repeat(length)]) {
      const short = await charactersFor(word(100_000));
      expect(short).toBeLessThan(100_000);
      expect(await charactersFor(word(10_000_000))).toBe(short);
      const text = word(50_000);
      const [encoded] = await tokenizer.encode([text]);
      expect([...(encoded?.tokenIds ?? [])]).toEqual((await whole(kind, text, maxLength)).ids);
    }
  } finally {
    encode.mockRestore();
  }
});

test.each<[string, string]>([
  ['one word', 'a'.repeat(20_000)],
  ['one number', '7'.repeat(20_000)],
  ['one run of marks', `e${'\u0301'.repeat(20_000)}`],
  ['one run of white space', `${'\u00a0'.repeat(20_000)}x`],
  ['words', 'the quick brown fox '.repeat(1000)],
  ['one long added token after another', '<|begin_of_text|>'.repeat(1000)],
  ['families', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}'.repeat(3000)],
])('a text of %s, cut wherever it may be', async (_what, text) => {
  for (const [kind, maxLength] of KINDS.flatMap((kind) => [[kind, 8] as const, [kind, 40] as const])) {
    const tokenizer = await Tokenizer.open(FILES[kind], maxLength);
    const { ids, truncated } = await whole(kind, text, maxLength);
    const [encoded] = await tokenizer.encode([text]);
    expect([...(encoded?.tokenIds ?? [])]).toEqual(ids);
    expect(encoded?.truncated).toBe(truncated);
  }
});

test('an added token across every place where the text may be cut', async () => {
  const tokenizer = await Tokenizer.open(FILES.llama, 4);
  for (let before = 0; before < 70; before++) {
    const text = `${'a '.repeat(before)}<|begin_of_text|>${' b'.repeat(60)}`;
    const [encoded] = await tokenizer.encode([text]);
    expect([...(encoded?.tokenIds ?? [])]).toEqual((await whole('llama', text, 4)).ids);
  }
});

test('exactly as many tokens as fit are not truncated, one more is', async () => {
  const ids = (await whole('qwen3', 'a b c', 100)).ids;
  const flags = async (maxLength: number) =>
    (await (await Tokenizer.open(FILES.qwen3, maxLength)).encode(['a b c']))[0];
  expect(await flags(ids.length)).toEqual({ tokenIds: Int32Array.from(ids), truncated: false });
  expect(await flags(ids.length - 1)).toEqual({
    tokenIds: Int32Array.from(ids.slice(0, -1)),
    truncated: true,
  });
});

test("truncation and padding that the file asks for are not the guard's", async () => {
  const json = JSON.parse(await readFile(FILES.llama, 'utf8')) as Record<string, unknown>;
  const file = join(temp, 'truncating.json');
  const truncation = { direction: 'Left', max_length: 3, strategy: 'LongestFirst', stride: 0 };
  const padding = {
    strategy: { Fixed: 20 },
    direction: 'Left',
    pad_to_multiple_of: null,
    pad_id: 0,
    pad_type_id: 0,
    pad_token: 'x',
  };
  await writeFile(file, JSON.stringify({ ...json, truncation, padding }));
  const texts = ['one two three four five', 'x'];
  expect(await (await Tokenizer.open(file, 100)).encode(texts)).toEqual(
    await (await Tokenizer.open(FILES.llama, 100)).encode(texts),
  );
});

test('a tokenizer that appends special tokens, and a file that is none, are refused', async () => {
  const json = JSON.parse(await readFile(FILES.llama, 'utf8')) as Record<string, unknown>;
  const end = { id: '<|end_of_text|>', ids: [1], tokens: ['<|end_of_text|>'] };
  const appending = join(temp, 'appending.json');
  const post_processor = {
    type: 'TemplateProcessing',
    single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: end.id, type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
    special_tokens: { [end.id]: end },
  };
  await writeFile(appending, JSON.stringify({ ...json, post_processor }));
  await expect(Tokenizer.open(appending, 8)).rejects.toThrow(
    `${appending} appends special tokens after a text`,
  );

  const none = join(temp, 'none.json');
  await writeFile(none, '{}');
  const opening = Tokenizer.open(none, 8);
  await expect(opening).rejects.toBeInstanceOf(UserError);
  await expect(opening).rejects.toThrow(`${none} is no tokenizer that can be read`);
});

test.each([
  [3, 5, [0, 1, 2]],
  [5, 5, [0, 1, 2, 3, 4]],
  [6, 5, [0, 1, 3, 4, 5]],
  [9, 4, [0, 1, 7, 8]],
  [9, 1, [8]],
  [0, 4, []],
])('%i tokens for %i', (tokens, maxLength, kept) => {
  expect(headAndTail(tokens, maxLength)).toEqual(kept);
});

test('both ends are kept, in order, and as many as fit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 2, max: 200 }), (tokens, maxLength) => {
      const kept = headAndTail(tokens, maxLength);
      expect(kept).toHaveLength(Math.min(tokens, maxLength));
      expect([kept[0], kept.at(-1)]).toEqual([0, tokens - 1]);
      expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
    }),
  );
});

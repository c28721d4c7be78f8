import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ROWS_JSONL, ROWS_ZST, storedZst, WINDOW_2_GB } from '../testing/zstd-files.js';
import { nativeZstd, portableZstd, unzstd, type ZstdDecoder } from './unzstd.js';
import { DamagedArchive } from './zlib.js';

async function unpack(decoder: ZstdDecoder, chunks: Buffer[]): Promise<{ content: string; error?: unknown }> {
  const parts: Buffer[] = [];
  try {
    for await (const part of unzstd(chunksOf(chunks), 'a.zst', decoder)) parts.push(part);
    return { content: Buffer.concat(parts).toString() };
  } catch (error) {
    return { content: Buffer.concat(parts).toString(), error };
  }
}

async function* chunksOf(chunks: Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

/** Those that this Node has. */
const decoders = Object.entries({ portable: portableZstd, ...(nativeZstd && { native: nativeZstd }) });

describe.each(decoders)('%s', (_name, decoder) => {
  test('what the zstd command packs is unpacked', async () => {
    const { content, error } = await unpack(decoder, [ROWS_ZST]);
    expect(error).toBeUndefined();
    expect(content === ROWS_JSONL).toBe(true);
  });

  test('frames follow each other, skippable ones are skipped, and the cuts make no difference', async () => {
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const content = fc
      .uint8Array({ maxLength: 300 })
      .map((bytes) => Buffer.from(Buffer.from(bytes).toString('hex')));
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 50 }),
        async (parts, size) => {
          const packed = Buffer.concat(parts.flatMap((part) => [skippable, storedZst(part)]));
          const chunks: Buffer[] = [];
          for (let at = 0; at < packed.length; at += size) chunks.push(packed.subarray(at, at + size));
          expect(await unpack(decoder, chunks)).toEqual({ content: parts.join('') });
        },
      ),
      { numRuns: 50 },
    );
  });

  test('a truncated file gives what comes before its end, then says so', async () => {
    const { content, error } = await unpack(decoder, [ROWS_ZST.subarray(0, ROWS_ZST.length - 10)]);
    expect(error).toBeInstanceOf(DamagedArchive);
    expect(error).toMatchObject({ kind: 'zstd', truncated: true });
    expect(content.length).toBeGreaterThan(100_000);
    expect(ROWS_JSONL.startsWith(content)).toBe(true);
  });

  test('any byte that was changed, and anything after the last frame, is noticed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(ROWS_ZST.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const broken = Buffer.from(ROWS_ZST);
        broken[at] = (broken[at] ?? 0) ^ change;
        const { content, error } = await unpack(decoder, [broken]);
        // A few bits of a frame's header say nothing about its content.
        if (error === undefined) expect(content === ROWS_JSONL).toBe(true);
        else expect(['DamagedArchive', 'UserError']).toContain((error as Error).name);
      }),
      { numRuns: 60 },
    );
    expect((await unpack(decoder, [ROWS_ZST, Buffer.from('more than a header')])).error).toMatchObject({
      name: 'DamagedArchive',
      truncated: false,
    });
  });
});

test("Node's decompressor is used from 22.15 on", () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  expect(nativeZstd !== undefined).toBe(
    major > 23 || (major === 23 && minor >= 8) || (major === 22 && minor >= 15),
  );
});

test('a window above the limit is read, or refused with what to do', async () => {
  const frame = storedZst(Buffer.from('a row\n'), WINDOW_2_GB);
  expect((await unpack(portableZstd, [frame])).error).toMatchObject({
    name: 'UserError',
    message: `"a.zst" cannot be read: its zstd window of 2048 MB exceeds the limit of 128 MB in Node ${process.versions.node}`,
    hint: 'Use Node 22.15 or newer, or decompress it: zstd -dc --long=31 "a.zst" | tocsin score -',
  });
  if (nativeZstd !== undefined) expect(await unpack(nativeZstd, [frame])).toEqual({ content: 'a row\n' });
});

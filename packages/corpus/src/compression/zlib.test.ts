import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DamagedArchive, gunzip } from './zlib.js';

async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What comes out, and the error that ended it. */
async function unpack(bytes: Buffer, size = 64 * 1024): Promise<{ out: Buffer; error: unknown }> {
  const out: Buffer[] = [];
  try {
    for await (const chunk of gunzip(chunked(bytes, size))) out.push(chunk);
  } catch (error) {
    return { out: Buffer.concat(out), error };
  }
  return { out: Buffer.concat(out), error: undefined };
}

/** Lines that do not compress to nothing. */
const text = Buffer.from(
  Array.from({ length: 40_000 }, (_, i) => `line ${i} ${(i * 2_654_435_761) % 4_294_967_296}\n`).join(''),
);
const packed = gzipSync(text);

describe('gunzip', () => {
  test('gives back what was packed, one or more members, whatever the chunks and the padding', async () => {
    const member = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(
        fc.array(member, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 90 }),
        fc.nat({ max: 40 }),
        async (members, size, zeros) => {
          const stream = Buffer.concat([...members.map((bytes) => gzipSync(bytes)), Buffer.alloc(zeros)]);
          expect(await unpack(stream, size)).toEqual({ out: Buffer.concat(members), error: undefined });
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a large stream comes through whole', async () => {
    const { out, error } = await unpack(packed);
    expect(error).toBeUndefined();
    expect(out.equals(text)).toBe(true);
  });

  test('a truncated stream gives all that can be unpacked, then the error with its place', async () => {
    const kept = packed.length - 20_000;
    const { out, error } = await unpack(packed.subarray(0, kept));
    expect(error).toBeInstanceOf(DamagedArchive);
    expect(error).toMatchObject({ truncated: true, byte: kept });
    expect(out.length).toBeGreaterThan(text.length * 0.85);
    expect(out.equals(text.subarray(0, out.length))).toBe(true);
  });

  test.each([2, 9, 17])('a stream of only %i bytes is a truncated one', async (length) => {
    const { out, error } = await unpack(packed.subarray(0, length));
    expect(out.length).toBe(0);
    expect(error).toMatchObject({ name: 'DamagedArchive', kind: 'gzip', truncated: true, byte: length });
  });

  test('damage in the middle gives what came before it, then the error near its place', async () => {
    // Stored blocks: each begins with its length, so damage to a whole block is seen at the next one's start.
    const broken = gzipSync(text, { level: 0 });
    const [from, to] = [200_000, 300_000];
    broken.fill(0xff, from, to);
    const { out, error } = await unpack(broken);
    expect(error).toMatchObject({ name: 'DamagedArchive', kind: 'gzip', truncated: false });
    const { byte } = error as DamagedArchive;
    expect(byte).toBeGreaterThan(from - 20_000);
    expect(byte).toBeLessThan(to);
    expect(out.length).toBeGreaterThan(from - 20_000);
    expect(out.subarray(0, from - 20_000).equals(text.subarray(0, from - 20_000))).toBe(true);
  });

  test('a wrong checksum is damage', async () => {
    const broken = Buffer.from(packed);
    const at = broken.length - 6;
    broken[at] = (broken[at] ?? 0) ^ 1;
    expect((await unpack(broken)).error).toMatchObject({
      name: 'DamagedArchive',
      kind: 'gzip',
      truncated: false,
    });
  });

  test.each([
    ['right after the member', 0],
    ['after padding in the same piece', 20],
    ['after padding in a later piece', 40_000],
  ])('data that is no member is damage: %s', async (_name, zeros) => {
    const stream = Buffer.concat([gzipSync('a'), Buffer.alloc(zeros), Buffer.from('tail')]);
    const { out, error } = await unpack(stream);
    expect(error).toMatchObject({ name: 'DamagedArchive', kind: 'gzip', truncated: false });
    expect(zeros === 0 || out.toString() === 'a').toBe(true);
  });

  test('an error of the source itself passes through', async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield packed.subarray(0, 1000);
      throw Object.assign(new Error('disk on fire'), { code: 'EIO' });
    }
    const read = async (): Promise<void> => {
      for await (const _ of gunzip(failing()));
    };
    await expect(read()).rejects.toMatchObject({ code: 'EIO' });
  });
});

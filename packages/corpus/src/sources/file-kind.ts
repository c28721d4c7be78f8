import { UserError } from '@tocsin/core';
import { sourceName } from './source-name.js';

/** Bytes that the functions here look at. */
export const MAGIC_BYTES = 6;

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const UTF8_BOM = [0xef, 0xbb, 0xbf];

/** Files that are no text, by their first bytes, and what to do about it. */
const FOREIGN: readonly { name: string; magic: readonly number[]; hint: string }[] = [
  {
    name: 'an xz file',
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a],
    hint: 'Decompress it: xz -dc FILE | tocsin score -',
  },
  { name: 'a bzip2 file', magic: [0x42, 0x5a, 0x68], hint: 'Decompress it: bzip2 -dc FILE | tocsin score -' },
  {
    name: 'compressed twice',
    magic: GZIP,
    hint: 'Decompress it once: gzip -dc FILE | tocsin score -',
  },
  { name: 'a zip file', magic: [0x50, 0x4b, 0x03, 0x04], hint: 'Unpack it and name the files in it.' },
  {
    name: 'a Parquet file',
    magic: [0x50, 0x41, 0x52, 0x31],
    hint: 'Let its name end in .parquet, or give --input-format parquet.',
  },
];

export type Compression = 'gzip' | 'zstd';

/** How a file is compressed, by its first bytes. */
export function compressionOf(head: Buffer): Compression | undefined {
  if (startsWith(head, GZIP)) return 'gzip';
  // Skippable frames, which may come first, begin with 50..5f 2a 4d 18.
  const skippable = head.length >= 4 && (head.readUInt32LE(0) & 0xfffffff0) >>> 0 === 0x184d2a50;
  return startsWith(head, ZSTD) || skippable ? 'zstd' : undefined;
}

/** Throws a `UserError` for a file that is no text. */
export function checkText(head: Buffer, source: string): void {
  for (const { name, magic, hint } of FOREIGN) {
    if (startsWith(head, magic)) {
      throw new UserError(`${sourceName(source)} is ${name}; text was expected.`, { hint });
    }
  }
}

/** Bytes without the UTF-8 byte order mark that they begin with, if they do. */
export function withoutBom(bytes: Buffer): Buffer {
  return bytes[0] === UTF8_BOM[0] && startsWith(bytes, UTF8_BOM) ? bytes.subarray(UTF8_BOM.length) : bytes;
}

function startsWith(head: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, i) => head[i] === byte);
}

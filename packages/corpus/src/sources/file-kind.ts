import { UserError } from '@tocsin/core';
import { sourceName } from './source-name.js';

/** Bytes that these functions inspect. */
export const MAGIC_BYTES = 6;

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const UTF8_BOM = [0xef, 0xbb, 0xbf];

const bytesOf = (text: string): number[] => [...Buffer.from(text, 'latin1')];

/** Binary files by their first bytes, with a hint. */
const FOREIGN: readonly { name: string; magic: readonly number[]; hint: string }[] = [
  {
    name: 'an xz file',
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a],
    hint: 'Decompress it: xz -dc FILE | tocsin score -',
  },
  { name: 'a bzip2 file', magic: bytesOf('BZh'), hint: 'Decompress it: bzip2 -dc FILE | tocsin score -' },
  {
    name: 'an lz4 file',
    magic: [0x04, 0x22, 0x4d, 0x18],
    hint: 'Decompress it: lz4 -dc FILE | tocsin score -',
  },
  {
    name: 'compressed twice',
    magic: GZIP,
    hint: 'Decompress it once: gzip -dc FILE | tocsin score -',
  },
  {
    name: 'a zip file',
    magic: bytesOf('PK\x03\x04'),
    hint: 'Unpack it and name the files in it. An Excel workbook (.xlsx): save it as CSV UTF-8.',
  },
  { name: 'a 7z file', magic: bytesOf('7z\xbc\xaf'), hint: 'Unpack it and name the files in it.' },
  { name: 'a RAR file', magic: bytesOf('Rar!'), hint: 'Unpack it and name the files in it.' },
  { name: 'an old Excel workbook', magic: [0xd0, 0xcf, 0x11, 0xe0], hint: 'Save it as CSV UTF-8.' },
  {
    name: 'a Parquet file',
    magic: bytesOf('PAR1'),
    hint: 'Rename it to end in .parquet, or use --input-format parquet.',
  },
  { name: 'an Arrow file', magic: bytesOf('ARROW1'), hint: 'Write it as Parquet (pyarrow, polars, pandas).' },
  { name: 'a Feather file', magic: bytesOf('FEA1'), hint: 'Write it as Parquet (pyarrow, polars, pandas).' },
  {
    name: 'an Avro file',
    magic: bytesOf('Obj\x01'),
    hint: 'Write it as JSON: avro-tools tojson FILE | tocsin score -',
  },
  { name: 'a PDF file', magic: bytesOf('%PDF'), hint: 'Extract its texts first.' },
  {
    name: 'a Python pickle',
    magic: [0x80, 0x04, 0x95],
    hint: 'Write its rows as Parquet or JSON Lines.',
  },
];

/** The same by longer prefixes, or by content further on. */
const FOREIGN_TEXTS: readonly { name: string; begins: RegExp; hint: string }[] = [
  {
    name: 'a Git LFS pointer',
    begins: /^version https:\/\/git-lfs\.github\.com/,
    hint: 'Fetch the file: git lfs pull',
  },
  {
    name: 'an SQLite database',
    begins: /^SQLite format 3/,
    hint: 'Write its rows as CSV: sqlite3 -header -csv FILE "select id, text from ..." | tocsin score - --input-format csv',
  },
  {
    name: 'an HTML page',
    begins: /^\s*<(!doctype html|html)\b/i,
    hint: 'It may be an error page: fetch the file again.',
  },
  {
    name: 'a tar archive',
    begins: /^[\s\S]{257}ustar[ \0]/,
    hint: 'Unpack it and name the files in it: tar -xf FILE',
  },
];

export type Compression = 'gzip' | 'zstd';

/** Detects the compression of a file by its first bytes. */
export function compressionOf(head: Buffer): Compression | undefined {
  if (startsWith(head, GZIP)) return 'gzip';
  // Skippable frames, which may come first, start with 50..5f 2a 4d 18.
  const skippable = head.length >= 4 && (head.readUInt32LE(0) & 0xfffffff0) >>> 0 === 0x184d2a50;
  return startsWith(head, ZSTD) || skippable ? 'zstd' : undefined;
}

/** @throws UserError for a binary file */
export function checkText(head: Buffer, source: string): void {
  for (const { name, magic, hint } of FOREIGN) {
    if (startsWith(head, magic)) {
      throw new UserError(`${sourceName(source)} cannot be read: it is ${name}, not text`, { hint });
    }
  }
}

/** The same for files that need more than the first bytes. */
export function checkTextHead(head: Buffer, source: string): void {
  const text = head.toString('latin1', 0, 512);
  for (const { name, begins, hint } of FOREIGN_TEXTS) {
    if (begins.test(text)) {
      throw new UserError(`${sourceName(source)} cannot be read: it is ${name}`, { hint });
    }
  }
}

/** Bytes without a leading UTF-8 byte order mark. */
export function withoutBom(bytes: Buffer): Buffer {
  return bytes[0] === UTF8_BOM[0] && startsWith(bytes, UTF8_BOM) ? bytes.subarray(UTF8_BOM.length) : bytes;
}

function startsWith(head: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, i) => head[i] === byte);
}

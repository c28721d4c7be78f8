import { UserError } from '@tocsin/errors';
import { sourceName } from './source-name.js';

/** Bytes that `startsAsGzip` and `skipBom` look at. */
export const MAGIC_BYTES = 6;

const GZIP = [0x1f, 0x8b];
const UTF8_BOM = [0xef, 0xbb, 0xbf];

/** Files that are no lines of JSON, by their first bytes, and what makes lines of JSON of them. */
const FOREIGN: readonly { name: string; magic: readonly number[]; hint: string }[] = [
  { name: 'UTF-16 text', magic: [0xff, 0xfe], hint: 'Convert it to UTF-8: iconv -f UTF-16 -t UTF-8' },
  { name: 'UTF-16 text', magic: [0xfe, 0xff], hint: 'Convert it to UTF-8: iconv -f UTF-16 -t UTF-8' },
  {
    name: 'a zstd file',
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    hint: 'Decompress it: zstd -dc FILE | tocsin score -',
  },
  {
    name: 'an xz file',
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a],
    hint: 'Decompress it: xz -dc FILE | tocsin score -',
  },
  { name: 'a bzip2 file', magic: [0x42, 0x5a, 0x68], hint: 'Decompress it: bzip2 -dc FILE | tocsin score -' },
  { name: 'a zip file', magic: [0x50, 0x4b, 0x03, 0x04], hint: 'Unpack it and name the JSONL files in it.' },
  { name: 'a Parquet file', magic: [0x50, 0x41, 0x52, 0x31], hint: 'Export it as JSON lines first.' },
];

/** True when the first bytes are those of a gzip stream. */
export function startsAsGzip(head: Buffer): boolean {
  return startsWith(head, GZIP);
}

/** The length of a UTF-8 byte order mark at the start. Throws a `UserError` for a file that is no UTF-8 text. */
export function skipBom(head: Buffer, source: string): number {
  for (const { name, magic, hint } of FOREIGN) {
    if (startsWith(head, magic)) {
      throw new UserError(
        `${sourceName(source)} is ${name}; UTF-8 text, one JSON object a line, was expected.`,
        { hint },
      );
    }
  }
  return startsWith(head, UTF8_BOM) ? UTF8_BOM.length : 0;
}

function startsWith(head: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, i) => head[i] === byte);
}

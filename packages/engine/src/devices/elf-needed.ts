import { type FileHandle, open } from 'node:fs/promises';

const SHT_DYNAMIC = 6;
const DT_NEEDED = 1n;
const SECTION_HEADER_BYTES = 64;
const DYNAMIC_ENTRY_BYTES = 16;

/**
 * The libraries that a shared library asks for (its NEEDED entries), out of a 64-bit little-endian ELF file, in order.
 * Reads headers and names only, however large the file is.
 * @throws Error for a file that is no such library
 */
export async function neededLibraries(file: string): Promise<string[]> {
  const handle = await open(file);
  try {
    const header = await readAt(handle, 0, 64);
    const isElf64 =
      header.length === 64 && header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1;
    if (!isElf64) throw new Error(`${file} is no 64-bit ELF file`);
    const count = header.readUInt16LE(60);
    const table = await readAt(handle, Number(header.readBigUInt64LE(40)), count * SECTION_HEADER_BYTES);
    const section = (index: number): { type: number; link: number; offset: number; size: number } => {
      const at = index * SECTION_HEADER_BYTES;
      return {
        type: table.readUInt32LE(at + 4),
        link: table.readUInt32LE(at + 40),
        offset: Number(table.readBigUInt64LE(at + 24)),
        size: Number(table.readBigUInt64LE(at + 32)),
      };
    };
    const dynamic = Array.from({ length: count }, (_, index) => section(index)).find(
      ({ type }) => type === SHT_DYNAMIC,
    );
    if (dynamic === undefined) return [];
    const names = section(dynamic.link);
    const [entries, strings] = await Promise.all(
      [dynamic, names].map(({ offset, size }) => readAt(handle, offset, size)),
    );
    if (entries === undefined || strings === undefined) return [];
    const needed: string[] = [];
    for (let at = 0; at + DYNAMIC_ENTRY_BYTES <= entries.length; at += DYNAMIC_ENTRY_BYTES) {
      if (entries.readBigUInt64LE(at) !== DT_NEEDED) continue;
      const start = Number(entries.readBigUInt64LE(at + 8));
      needed.push(strings.toString('latin1', start, strings.indexOf(0, start)));
    }
    return needed;
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}

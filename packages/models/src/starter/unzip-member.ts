import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { messageOf, UserError } from '@tocsin/core';
import * as yauzl from 'yauzl';

/** The result of `unzipMember`. */
export interface UnzippedMember {
  bytes: number;
  /** Lower-case hexadecimal, of the unpacked bytes. */
  sha256: string;
}

/**
 * Unpacks one member of a zip file (such as a Python wheel) to `target`, in constant memory. Syncs to disk before
 * returning, so that a rename followed by a power cut leaves no empty file.
 *
 * @param member the full name inside the zip, with `/`
 * @param target a file that does not exist yet
 * @throws UserError when `zip` is not a zip file, is damaged, or lacks the member
 */
export async function unzipMember(
  zip: string,
  member: string,
  target: string,
  signal?: AbortSignal,
): Promise<UnzippedMember> {
  const archive = await yauzl.openPromise(zip, { lazyEntries: true, autoClose: false }).catch((cause) => {
    throw damaged(zip, cause);
  });
  try {
    const entry = await findEntry(archive, member, zip);
    return await writeEntry(archive, entry, zip, target, signal);
  } finally {
    archive.close();
  }
}

async function findEntry(archive: yauzl.ZipFile, member: string, zip: string): Promise<yauzl.Entry> {
  const seen: string[] = [];
  try {
    for await (const entry of archive.eachEntry()) {
      if (entry.fileName === member) return entry;
      seen.push(entry.fileName);
    }
  } catch (cause) {
    throw damaged(zip, cause);
  }
  throw new UserError(
    `${zip} has no member ${member}; it contains ${seen.slice(0, 5).join(', ') || 'nothing'}`,
  );
}

async function writeEntry(
  archive: yauzl.ZipFile,
  entry: yauzl.Entry,
  zip: string,
  target: string,
  signal: AbortSignal | undefined,
): Promise<UnzippedMember> {
  const packed = await archive.openReadStreamPromise(entry).catch((cause) => {
    throw damaged(zip, cause);
  });
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(target, 'wx');
  try {
    // Not a pipeline, which could not tell errors of the zip from those of the target.
    for await (const chunk of readable(packed, zip)) {
      signal?.throwIfAborted();
      hash.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    packed.destroy();
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function* readable(packed: AsyncIterable<Buffer>, zip: string): AsyncGenerator<Buffer> {
  try {
    yield* packed;
  } catch (cause) {
    throw damaged(zip, cause);
  }
}

function damaged(zip: string, cause: unknown): UserError {
  return new UserError(`${zip} cannot be read as a zip file: ${messageOf(cause)}`, { cause });
}

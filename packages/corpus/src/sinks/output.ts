import { constants, fstat } from 'node:fs';
import { access, type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import { STDIN, sourceName } from '../sources/source-name.js';
import { STDOUT } from './score-format.js';

const statOf = promisify(fstat);

/** An output that is committed or discarded. */
export interface Output {
  readonly stream: Writable;
  /** Call after the stream has finished: moves the file to its final name. */
  commit(): Promise<void>;
  /** Removes the temporary file. */
  discard(): Promise<void>;
}

/** Paths of an output: `partial` is renamed to `target`. */
interface FilePlace {
  target: string;
  partial: string;
  mode: number;
}

/**
 * Checks that a file can be written, by creating and removing its temporary file. @throws UserError if the directory is
 * missing or not writable, the path is a directory, or the file is write-protected
 */
export async function checkWritable(path: string): Promise<void> {
  const place = await placeOf(path);
  if (place === 'in place') return;
  try {
    await (await createPartial(place)).close();
    await rm(place.partial);
  } catch (error) {
    throw outputError(path, error);
  }
}

/**
 * Refuses an output that is also an input, under any name: the scores would overwrite the texts.
 * @throws UserError
 */
export async function refuseInputAsOutput(path: string, sources: readonly string[]): Promise<void> {
  const output = await stat(path).catch(() => undefined);
  // Only regular files are replaced, not pipes or /dev/null.
  if (output?.isFile() !== true) return;
  for (const source of sources) {
    const input = await (source === STDIN ? statOf(0) : stat(source)).catch(() => undefined);
    if (input?.dev !== output.dev || input.ino !== output.ino) continue;
    const same = source === path ? '' : `It is the same file as ${sourceName(source)}. `;
    throw new UserError(
      `${JSON.stringify(path)} cannot be written: it is also an input, and its rows would be overwritten`,
      {
        hint: `${same}Write to a file outside the directories and patterns that are read.`,
      },
    );
  }
}

/**
 * Opens a file that appears only when complete: it is written as `.<name>.<pid>.partial` in the same directory and renamed
 * by `commit`. An existing file is replaced and keeps its permissions; for a symbolic link, its target is replaced. Pipes
 * and devices are written directly.
 */
export async function openFile(path: string): Promise<Output> {
  const place = await placeOf(path);
  try {
    if (place === 'in place') return inPlace(await open(path, 'w'));
    return viaPartial(place, await createPartial(place));
  } catch (error) {
    throw outputError(path, error);
  }
}

function inPlace(handle: FileHandle): Output {
  const { stream, close } = streamTo(handle);
  return { stream, commit: close, discard: close };
}

function viaPartial(place: FilePlace, handle: FileHandle): Output {
  const { stream, close } = streamTo(handle);
  return {
    stream,
    async commit() {
      // Otherwise a system crash could leave the new name with old or no data.
      await handle.sync();
      await close();
      await rename(place.partial, place.target);
    },
    async discard() {
      try {
        await close();
      } finally {
        await rm(place.partial, { force: true });
      }
    },
  };
}

/** A stream into an open file; its owner closes the file. */
function streamTo(handle: FileHandle): { stream: Writable; close: () => Promise<void> } {
  let writing: Promise<void> = Promise.resolve();
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // On a handle, writeFile appends to the previous write.
      writing = handle.writeFile(chunk).then(() => done(), done);
    },
  });
  const close = async (): Promise<void> => {
    // A write in progress must not hit a closed or reused descriptor.
    await writing;
    await handle.close();
  };
  return { stream, close };
}

/** Removes a leftover of a dead process with the same pid (in a container every run may have the same pid). */
async function createPartial(place: FilePlace): Promise<FileHandle> {
  await rm(place.partial, { force: true });
  return open(place.partial, 'wx', place.mode);
}

async function placeOf(path: string): Promise<FilePlace | 'in place'> {
  try {
    const existing = await stat(path).catch(absent);
    if (existing?.isDirectory()) {
      throw new UserError(`"${path}" cannot be written: it is a directory`, {
        hint: `Name a file, for example ${join(path, 'scores.jsonl')}`,
      });
    }
    if (existing !== undefined) await access(path, constants.W_OK);
    if (existing?.isFile() === false) return 'in place';
    const target = existing === undefined ? path : await realpath(path);
    const partial = join(dirname(target), `.${basename(target)}.${process.pid}.partial`);
    return { target, partial, mode: existing === undefined ? 0o666 : existing.mode & 0o777 };
  } catch (error) {
    throw error instanceof UserError ? error : outputError(path, error);
  }
}

function absent(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}

const HINTS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'Create the directory first, or name another one.'],
  ['ENOTDIR', 'Part of the path is a file, not a directory. Choose another path.'],
  ['EISDIR', 'Name a file in that directory.'],
  ['EACCES', 'Choose a path that the user running Tocsin may write to.'],
  ['EPERM', 'Choose a path that the user running Tocsin may write to.'],
  ['EROFS', 'Choose a path on a writable file system.'],
  ['ENOSPC', 'Free some space or choose another path, then run the same command again.'],
  ['EDQUOT', 'Free some space or choose another path, then run the same command again.'],
  ['ENAMETOOLONG', 'Choose a shorter name.'],
]);

/** The error for an output that cannot be written. */
export function outputError(path: string, error: unknown): UserError {
  const hint = HINTS.get(codeOf(error) ?? '');
  return new UserError(
    `${path === STDOUT ? 'stdout' : JSON.stringify(path)} cannot be written: ${messageOf(error)}`,
    {
      hint,
      cause: error,
    },
  );
}

/** Writes a text file atomically. @throws UserError when it cannot be written */
export async function writeText(path: string, text: string): Promise<void> {
  const output = await openFile(path);
  try {
    output.stream.end(text);
    await finished(output.stream);
    await output.commit();
  } catch (error) {
    await output.discard();
    throw codeOf(error) === undefined ? error : outputError(path, error);
  }
}

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

/** Where bytes go, and what makes them count. */
export interface Output {
  readonly stream: Writable;
  /** Call once the stream has finished: from now on the file is there under its name. */
  commit(): Promise<void>;
  /** Leave no trace. */
  discard(): Promise<void>;
}

/** Where a file comes to stand: `partial` is renamed to `target`. */
interface FilePlace {
  target: string;
  partial: string;
  mode: number;
}

/**
 * Prove that a file can be written, by making and removing its temporary file. Throws a `UserError` if the directory is
 * missing or not writable, the path is a directory, or the file is write-protected.
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
 * Refuses an output that is one of the inputs, under whatever name: the scores would take the place of the texts.
 * @throws UserError
 */
export async function refuseInputAsOutput(path: string, sources: readonly string[]): Promise<void> {
  const output = await stat(path).catch(() => undefined);
  // What is no regular file (a pipe, /dev/null) is not replaced.
  if (output?.isFile() !== true) return;
  for (const source of sources) {
    const input = await (source === STDIN ? statOf(0) : stat(source)).catch(() => undefined);
    if (input?.dev !== output.dev || input.ino !== output.ino) continue;
    const same = source === path ? '' : `It is the same file as ${sourceName(source)}. `;
    throw new UserError(
      `${JSON.stringify(path)} is both an input and an output: its rows would be replaced.`,
      {
        hint: `${same}Write to another file, outside of the directories and patterns that are read.`,
      },
    );
  }
}

/**
 * Open a file that comes into being only when it is whole: it is written as `.<name>.<pid>.partial` beside its place and
 * renamed by `commit`. A file that is there already is replaced and keeps its permissions; behind a symbolic link,
 * the file it points to is replaced. Pipes and devices are written to directly.
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
      // Else a crash of the machine could leave the new name with old or no data.
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

/** A stream into an open file that leaves the closing, and when, to its owner. */
function streamTo(handle: FileHandle): { stream: Writable; close: () => Promise<void> } {
  let writing: Promise<void> = Promise.resolve();
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // On a handle, writeFile goes on from where the last one ended.
      writing = handle.writeFile(chunk).then(() => done(), done);
    },
  });
  const close = async (): Promise<void> => {
    // A write under way must not meet a closed (or, worse, reused) descriptor.
    await writing;
    await handle.close();
  };
  return { stream, close };
}

/** A file that a dead process with this pid left behind is in the way (in a container every run may have one pid). */
async function createPartial(place: FilePlace): Promise<FileHandle> {
  await rm(place.partial, { force: true });
  return open(place.partial, 'wx', place.mode);
}

async function placeOf(path: string): Promise<FilePlace | 'in place'> {
  try {
    const existing = await stat(path).catch(absent);
    if (existing?.isDirectory()) {
      throw new UserError(`"${path}" cannot be written: it is a directory.`, {
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
  ['ENOENT', 'Make the directory first, or name another one.'],
  ['ENOTDIR', 'A part of the path is a file, not a directory: name another one.'],
  ['EISDIR', 'Name a file in that directory.'],
  ['EACCES', 'Name a place that the user who runs Tocsin may write to.'],
  ['EPERM', 'Name a place that the user who runs Tocsin may write to.'],
  ['EROFS', 'Name a place on a file system that can be written to.'],
  ['ENOSPC', 'Free some space or name another place; then run the same command again.'],
  ['EDQUOT', 'Free some space or name another place; then run the same command again.'],
  ['ENAMETOOLONG', 'Choose a shorter name.'],
]);

/** What to tell a person about an output that cannot be written. */
export function outputError(path: string, error: unknown): UserError {
  const hint = HINTS.get(codeOf(error) ?? '');
  return new UserError(
    `${path === STDOUT ? 'stdout' : JSON.stringify(path)} cannot be written: ${messageOf(error)}.`,
    {
      hint,
      cause: error,
    },
  );
}

/** Write a text file that appears under its name only when it is whole. Throws a `UserError` when it cannot be. */
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

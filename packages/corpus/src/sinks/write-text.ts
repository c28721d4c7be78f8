import { finished } from 'node:stream/promises';
import { codeOf } from '@tocsin/core';
import { openFile } from './output.js';
import { outputError } from './output-error.js';

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

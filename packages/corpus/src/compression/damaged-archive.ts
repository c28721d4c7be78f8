import { messageOf, UserError } from '@tocsin/core';
import { count } from '../rows/wording.js';
import { sourceName } from '../sources/source-name.js';

/** Compressed data that ends too early, or is damaged at or before `byte` of the compressed stream. */
export class DamagedArchive extends Error {
  readonly kind: 'gzip' | 'zstd';
  readonly byte: number;
  readonly truncated: boolean;

  constructor(
    kind: 'gzip' | 'zstd',
    byte: number,
    truncated: boolean,
    options: { cause?: unknown; detail?: string } = {},
  ) {
    super(options.detail ?? messageOf(options.cause), { cause: options.cause });
    this.name = 'DamagedArchive';
    this.kind = kind;
    this.byte = byte;
    this.truncated = truncated;
  }
}

/** What to tell a person about it. `where` says how far the rows go: "after line 7". */
export function damagedSource(source: string, error: DamagedArchive, where: string): UserError {
  const byte = `compressed byte ${count(error.byte)}`;
  const what = error.truncated ? `ends too early, at ${byte}` : `is damaged at or before ${byte}`;
  return new UserError(
    `The ${error.kind} data of ${sourceName(source)} ${what}, ${where}: ${error.message}.`,
    {
      hint: `Fetch the file again; "${error.kind} -t FILE" is silent when it is whole.`,
      cause: error,
    },
  );
}

import { messageOf } from '@tocsin/core';

/** Compressed data that is truncated, or damaged at or before `byte` of the compressed stream. */
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

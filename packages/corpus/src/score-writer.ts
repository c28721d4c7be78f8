import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { codeOf } from '@tocsin/errors';
import { checkWritable, type Output, openFile } from './output.js';
import { outputError } from './output-error.js';
import { type ScoreEncoder, scoreEncoder } from './score-encoder.js';
import { STDOUT, scoreFormat } from './score-format.js';
import type { ScoreRow } from './score-row.js';

/** Characters collected before they are handed to the stream. */
const WRITE_CHARS = 64 * 1024;

/** Writes scores; await each call before the next. Ends with `finish` or `abort`. */
export interface ScoreWriter {
  /** Resolves when more may be written. Throws a `UserError` when the output takes no more (no space left, ...). */
  write(rows: readonly ScoreRow[]): Promise<void>;
  /** Write what is left and put the file in its place. */
  finish(): Promise<void>;
  /** Give up: no file is left behind. Does nothing after `finish` or another `abort`. */
  abort(): Promise<void>;
  /** True once the reader of a pipe has gone (`... | head`): what is written since then is dropped. */
  readonly readerGone: boolean;
}

/** Check format and place of an output before any work is done for it. Throws a `UserError`. */
export async function checkOutput(path: string, format?: string): Promise<void> {
  scoreFormat(path, format);
  if (path !== STDOUT) await checkWritable(path);
}

/**
 * Open a writer for a file (`.jsonl`, `.ndjson` or `.csv`, each also with `.gz`) or for stdout (`-`, JSONL if no format
 * is given). The file appears under its name only when it is whole. In CSV, a key or error that a spreadsheet would run as a
 * formula gets an apostrophe in front. Throws a `UserError` as `checkOutput` does.
 */
export async function writerFor(
  path: string,
  format?: string,
  options: { stdout?: Writable } = {},
): Promise<ScoreWriter> {
  const how = scoreFormat(path, format);
  const encoder = scoreEncoder(how.format);
  if (path === STDOUT) return new StreamWriter(path, encoder, new OpenEnd(options.stdout ?? process.stdout));
  const output = await openFile(path);
  return new StreamWriter(path, encoder, new OwnEnd(output, how.gzip));
}

/** The end of the way: takes text and finishes in its own manner. */
interface End {
  write(text: string): Promise<void>;
  finish(): Promise<void>;
  abort(): Promise<void>;
}

class StreamWriter implements ScoreWriter {
  readerGone = false;
  readonly #path: string;
  readonly #encoder: ScoreEncoder;
  readonly #end: End;
  #text: string;
  #state: 'open' | 'finished' | 'aborted' = 'open';

  constructor(path: string, encoder: ScoreEncoder, end: End) {
    this.#path = path;
    this.#encoder = encoder;
    this.#end = end;
    this.#text = encoder.header;
  }

  async write(rows: readonly ScoreRow[]): Promise<void> {
    if (this.readerGone) return;
    this.#text += this.#encoder.rows(rows);
    if (this.#text.length >= WRITE_CHARS) await this.#attempt(() => this.#flush());
  }

  async finish(): Promise<void> {
    if (this.#state === 'finished' || this.readerGone) return;
    if (this.#state === 'aborted') throw new Error('the writer was aborted before finish');
    await this.#attempt(async () => {
      await this.#flush();
      await this.#end.finish();
      this.#state = 'finished';
    });
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'aborted';
    await this.#end.abort();
  }

  #flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    return text === '' ? Promise.resolve() : this.#end.write(text);
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // The reader of a pipe may stop when it has seen enough: that is no failure.
      this.readerGone = codeOf(error) === 'EPIPE';
      await this.abort();
      if (this.readerGone) return;
      // An error without a code comes from no file system: it is a defect of ours.
      throw codeOf(error) === undefined ? error : outputError(this.#path, error);
    }
  }
}

/** A file or device that was opened for the scores, compressed or not. */
class OwnEnd implements End {
  readonly #output: Output;
  readonly #head: Writable;
  /** Settles when the last byte is written, or at the first error. */
  readonly #done: Promise<void>;

  constructor(output: Output, gzip: boolean) {
    this.#output = output;
    const compress = gzip ? createGzip() : undefined;
    this.#head = compress ?? output.stream;
    this.#done = compress === undefined ? finished(output.stream) : pipeline(compress, output.stream);
    // Whoever writes next meets the error; until then nobody has to wait for it.
    this.#done.catch(() => {});
  }

  async write(text: string): Promise<void> {
    // A stream that dies in the middle of a write may never call back.
    await Promise.race([written(this.#head, text), this.#done]);
  }

  async finish(): Promise<void> {
    this.#head.end();
    await this.#done;
    await this.#output.commit();
  }

  async abort(): Promise<void> {
    this.#head.destroy();
    this.#output.stream.destroy();
    await this.#output.discard();
  }
}

/** Standard output: it belongs to the process and stays open. */
class OpenEnd implements End {
  readonly #stream: Writable;
  readonly #ignore = (): void => {};

  constructor(stream: Writable) {
    this.#stream = stream;
    // The write that fails reports the error; unheard, the event would end the process as well.
    stream.on('error', this.#ignore);
  }

  write(text: string): Promise<void> {
    return written(this.#stream, text);
  }

  async finish(): Promise<void> {
    this.#stream.off('error', this.#ignore);
  }

  async abort(): Promise<void> {
    // The listener stays: a pipe that has broken reports it for every later write, also for those of others.
  }
}

function written(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

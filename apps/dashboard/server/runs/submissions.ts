import { rm } from 'node:fs/promises';
import { messageOf, UserError } from '@tocsin/core';
import type { CorpusRow } from '@tocsin/corpus';
import type { Submission, Submit } from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';
import { audit } from '@tocsin/store';
import type { FastifyBaseLogger } from 'fastify';
import { ApiError } from '../http/api-error.js';
import { loggedError } from '../http/log.js';
import { errorInShownNames, noteInShownNames, rowInShownNames, type UploadedFile } from './uploads.js';

/** Audit action of a run whose corpus could not be read completely. */
const SUBMISSION_FAILED = 'run.submission_failed';
const RETRY_AFTER_SECONDS = 5;

export interface SubmissionsOptions {
  pool: Pool;
  submit: Submit;
  log: FastifyBaseLogger;
  /** Maximum rows in the open runs of one key. */
  rowsPerKey: number;
  /** Maximum concurrent submissions of one key. */
  perKey: number;
}

/** Files in a directory from `uploadDirectory()`. */
export interface UploadedFiles {
  directory: string;
  /** Rows in other open runs of the same key. */
  openRows: number;
  files: readonly UploadedFile[];
}

/** Corpora being read into runs, after their requests were answered. */
export class Submissions {
  readonly #options: SubmissionsOptions;
  readonly #running = new Set<Promise<void>>();
  /** Submissions in progress, by key. */
  readonly #underWay = new Map<string, number>();
  readonly #over = new AbortController();

  constructor(options: SubmissionsOptions) {
    this.#options = options;
  }

  /** Checks that the key may start another submission. @throws ApiError (429) when too many are in progress */
  requireRoom(key = ''): void {
    const { perKey } = this.#options;
    const own = this.#underWay.get(key) ?? 0;
    if (own < perKey) return;
    throw new ApiError(429, `too many submissions: ${own} of this key are being read, and ${perKey} may be`, {
      hint: 'Wait as long as retry-after says.',
      retryAfter: RETRY_AFTER_SECONDS,
    });
  }

  /**
   * Starts a submission; the directory is removed once its files are read.
   * @returns the run, as soon as it exists
   * @throws UserError for a corpus that cannot be opened; ApiError (429) when too many are in progress
   */
  async start(
    upload: UploadedFiles,
    submission: Omit<Submission, 'sources' | 'onRow' | 'onRun' | 'signal'>,
  ): Promise<number> {
    const { ownerKey = '' } = submission;
    try {
      this.requireRoom(ownerKey);
    } catch (error) {
      await rm(upload.directory, { recursive: true, force: true });
      throw error;
    }
    this.#count(ownerKey, 1);
    return this.#submit(upload, submission);
  }

  #count(key: string, more: number): void {
    const now = (this.#underWay.get(key) ?? 0) + more;
    if (now > 0) this.#underWay.set(key, now);
    else this.#underWay.delete(key);
  }

  #submit(
    { directory, files, openRows }: UploadedFiles,
    submission: Omit<Submission, 'sources' | 'onRow' | 'onRun' | 'signal'>,
  ): Promise<number> {
    const { signal } = this.#over;
    return new Promise((resolve, reject) => {
      let runId: number | undefined;
      const onRun = (id: number): void => {
        runId = id;
        resolve(id);
      };
      const submitted = this.#options
        .submit({
          ...submission,
          shownNote: (note) => noteInShownNames(note, files),
          sources: files.map(({ path }) => path),
          onRow: this.#counted(openRows, rowInShownNames(files)),
          shownError: (error) => errorInShownNames(error, files),
          signal,
          onRun,
        })
        .then(() => undefined)
        .catch(async (error: unknown) => {
          if (runId === undefined) reject(error);
          else await this.#noteFailure(runId, error);
        })
        .finally(() => rm(directory, { recursive: true, force: true }))
        .finally(() => {
          this.#running.delete(submitted);
          this.#count(submission.ownerKey ?? '', -1);
        });
      this.#running.add(submitted);
    });
  }

  /** A corpus with more rows than the key may have is cut off at the limit. */
  #counted(openRows: number, onRow: (row: CorpusRow) => CorpusRow): (row: CorpusRow) => CorpusRow {
    const { rowsPerKey } = this.#options;
    let rows = openRows;
    return (row) => {
      rows += 1;
      if (rows <= rowsPerKey) return onRow(row);
      throw new UserError(
        `the run was stopped: the open runs of its key may have ${rowsPerKey} rows in all`,
        {
          hint: 'Submit fewer rows, or wait until other runs are scored.',
        },
      );
    };
  }

  /** Aborts submissions in progress: their runs are cancelled. */
  async close(): Promise<void> {
    this.#over.abort(new Error('the server is stopping'));
    await Promise.all(this.#running);
  }

  /** The run has ended; the error is stored with it. */
  async #noteFailure(runId: number, error: unknown): Promise<void> {
    const { pool, log } = this.#options;
    log.warn({ run: runId, ...loggedError(error) }, 'a submission failed');
    await audit(pool, {
      keyId: null,
      who: 'server',
      action: SUBMISSION_FAILED,
      subject: `run ${runId}`,
      runId,
      details: { reason: messageOf(error) },
    }).catch((cause: unknown) => log.error(loggedError(cause), 'that it failed could not be written down'));
  }
}

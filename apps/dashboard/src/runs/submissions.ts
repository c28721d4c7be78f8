import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@tocsin/errors';
import { audit, type Pool } from '@tocsin/store';
import type { FastifyBaseLogger } from 'fastify';
import { loggedError } from '../http/logged-error.js';
import type { Submission, Submit } from '../submit.js';
import { errorInShownNames, rowInShownNames, type UploadedFile } from './uploaded-files.js';

/** What the audit log calls a run whose corpus could not be read to its end. */
const SUBMISSION_FAILED = 'run.submission_failed';

export interface SubmissionsOptions {
  pool: Pool;
  submit: Submit;
  log: FastifyBaseLogger;
}

/** Files of a directory that `directory()` gave. */
export interface UploadedFiles {
  directory: string;
  files: readonly UploadedFile[];
}

/** Corpora that are on their way from a file into a run. Who asked has been answered by then. */
export class Submissions {
  readonly #options: SubmissionsOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #over = new AbortController();

  constructor(options: SubmissionsOptions) {
    this.#options = options;
  }

  /** A directory for what is uploaded. `start` takes it over; whoever does not get that far removes it. */
  directory(): Promise<string> {
    return mkdtemp(join(tmpdir(), 'tocsin-upload-'));
  }

  /**
   * Begins a submission; the directory is removed when its files are read.
   * @returns the run, as soon as there is one
   * @throws UserError for a corpus that cannot be begun
   */
  start(
    { directory, files }: UploadedFiles,
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
          sources: files.map(({ path }) => path),
          onRow: rowInShownNames(files),
          shownError: (error) => errorInShownNames(error, files),
          ...{ signal, onRun },
        })
        .catch(async (error: unknown) => {
          if (runId === undefined) reject(error);
          else await this.#noteFailure(runId, error);
        })
        .finally(() => rm(directory, { recursive: true, force: true }))
        .finally(() => this.#running.delete(submitted));
      this.#running.add(submitted);
    });
  }

  /** Breaks off what is under way: those runs are cancelled. */
  async close(): Promise<void> {
    this.#over.abort(new Error('the server is stopping'));
    await Promise.all(this.#running);
  }

  /** The run has ended; why, is for who looks at it. */
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

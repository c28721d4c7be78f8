import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '@tocsin/core';
import type { CorpusFlags } from '../options/corpus-options.js';
import type { GuardFlags } from '../options/guard-options.js';
import type { RetentionFlags } from '../options/retention-option.js';

/** The options of `tocsin submit`. */
export type SubmitOptionFlags = GuardFlags & CorpusFlags & RetentionFlags & { threshold?: number };

/** What a schedule submits: kept in the database as JSON. */
export interface ScheduleRequest {
  corpus: string[];
  flags: SubmitOptionFlags;
}

const STDIN = '-';

/**
 * A request that another process can carry out, in whatever directory it runs: paths are made absolute.
 * @throws UserError for what cannot be kept: standard input, a password
 */
export function requestOf(corpus: readonly string[], flags: SubmitOptionFlags): ScheduleRequest {
  const { dataDir: _, queryFile, cacheDir, ...kept } = flags;
  const local = (ref: string): string => (existsSync(ref) ? resolve(ref) : ref);
  return {
    corpus: corpus.map(keptSource),
    flags: {
      ...kept,
      guard: local(flags.guard),
      ...(flags.queryFile === undefined ? {} : { queryFile: resolve(flags.queryFile) }),
      ...(flags.backbone === undefined ? {} : { backbone: local(flags.backbone) }),
      ...(queryFile === undefined ? {} : { queryFile: resolve(queryFile) }),
      ...(cacheDir === undefined ? {} : { cacheDir: resolve(cacheDir) }),
    },
  };
}

/** @throws UserError when it was written by another version of Tocsin, and cannot be read */
export function readRequest(request: unknown): ScheduleRequest {
  const { corpus, flags } = (request ?? {}) as Partial<ScheduleRequest>;
  if (Array.isArray(corpus) && typeof flags?.guard === 'string') return { corpus, flags };
  throw new UserError('what the schedule submits cannot be read', {
    hint: 'Remove the schedule and add it again: another version of Tocsin has made it.',
  });
}

function keptSource(source: string): string {
  if (source === STDIN) {
    throw new UserError('a schedule cannot read standard input', {
      hint: 'Name files or a database that are there whenever it comes due.',
    });
  }
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(source) && URL.canParse(source) ? new URL(source) : undefined;
  if (url === undefined) return resolve(source);
  if (url.password !== '' || [...url.searchParams.keys()].some((key) => /password|secret|token/i.test(key))) {
    throw new UserError('a source of the corpus holds a password, and a schedule is kept in the database', {
      hint: 'Leave it out, and let the process that runs the schedules have it in its environment (PGPASSWORD, PGPASSFILE).',
    });
  }
  return source;
}

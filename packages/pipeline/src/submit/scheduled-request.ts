import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { INPUT_FORMATS, messageOf, QUOTE_STYLES, RETENTIONS, SHAPES, UserError } from '@tocsin/core';
import { type CorpusReading, sourceLabel } from '@tocsin/corpus';
import { openGuard } from '@tocsin/engine';
import { z } from 'zod';
import { type Destination, type Submission, submitRun } from './submit-run.js';

const reading = z.strictObject({
  fields: z
    .strictObject({
      text: z.string(),
      prompt: z.string(),
      response: z.string(),
      messages: z.string(),
      tools: z.string(),
      id: z.string(),
    })
    .partial()
    .optional(),
  format: z.enum(INPUT_FORMATS).optional(),
  shape: z.enum(SHAPES).optional(),
  delimiter: z.string().optional(),
  quote: z.enum(QUOTE_STYLES).optional(),
  encoding: z.string().optional(),
  roots: z.array(z.string()).optional(),
  query: z.string().optional(),
});

const guard = z.strictObject({
  ref: z.string(),
  backbone: z.string().optional(),
  device: z.string().optional(),
  precision: z.string().optional(),
  threads: z.number().int().positive().optional(),
  cacheDir: z.string().optional(),
});

const scheduledRequest = z.strictObject({
  /** Files, directories, globs, databases; resolved at each firing. */
  sources: z.array(z.string()).min(1),
  reading,
  /** File with the query, read at each firing instead of `reading.query`. */
  queryFile: z.string().optional(),
  guard,
  threshold: z.number().min(0).max(1).optional(),
  retain: z.enum(RETENTIONS).optional(),
});

/** The stored request of a schedule, as JSON. */
export type ScheduledRequest = z.infer<typeof scheduledRequest>;

const STDIN = '-';

/**
 * A request that another process can run in any working directory: paths are made absolute.
 * @throws UserError for what cannot be stored: standard input, a password
 */
export function scheduledRequestOf(request: ScheduledRequest): ScheduledRequest {
  const { sources, queryFile, guard } = request;
  const local = (ref: string): string => (existsSync(ref) ? resolve(ref) : ref);
  const { roots } = request.reading;
  return scheduledRequest.parse({
    ...request,
    sources: sources.map(storedSource),
    reading: { ...request.reading, ...(roots && { roots: roots.map((root) => resolve(root)) }) },
    guard: {
      ...guard,
      ref: local(guard.ref),
      ...(guard.backbone !== undefined && { backbone: local(guard.backbone) }),
      ...(guard.cacheDir !== undefined && { cacheDir: resolve(guard.cacheDir) }),
    },
    ...(queryFile !== undefined && { queryFile: resolve(queryFile) }),
  });
}

/** @throws UserError when it was stored by an incompatible version of Tocsin */
export function readScheduledRequest(stored: unknown): ScheduledRequest {
  const read = scheduledRequest.safeParse(stored);
  if (read.success) return read.data;
  throw new UserError('the request of the schedule cannot be read', {
    hint: 'Another version of Tocsin stored it. Remove the schedule and add it again.',
    cause: read.error,
  });
}

/** Callbacks and signal of a scheduled submission. */
export interface ScheduledContext extends Pick<Submission, 'onRun' | 'onNotice' | 'signal'> {
  /** Called with progress of opening the guard: a download, a compilation. */
  onEvent?: (message: string) => void;
}

/** Runs the request of a schedule as `tocsin submit` does. @returns the run's id */
export async function submitScheduled(
  destination: Destination,
  stored: unknown,
  { onEvent, ...context }: ScheduledContext,
): Promise<number> {
  const { sources, reading, queryFile, guard, threshold, retain } = readScheduledRequest(stored);
  const { ref, ...where } = guard;
  return submitRun(destination, {
    guard: await openGuard(ref, {
      ...where,
      signal: context.signal,
      onEvent: ({ message }) => onEvent?.(message),
    }),
    name: sources.map(sourceLabel).join(' '),
    sources,
    reading: queryFile === undefined ? reading : { ...reading, query: await readQuery(queryFile) },
    threshold,
    retain,
    ...context,
  } as Submission);
}

/** The query in a file. @throws UserError when it cannot be read */
export async function readQuery(file: string): Promise<NonNullable<CorpusReading['query']>> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError(`the query file cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function storedSource(source: string): string {
  if (source === STDIN) {
    throw new UserError('a schedule cannot read standard input', {
      hint: 'Use files or a database that exist at every firing.',
    });
  }
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(source) && URL.canParse(source) ? new URL(source) : undefined;
  if (url === undefined) return resolve(source);
  if (url.password !== '' || [...url.searchParams.keys()].some((key) => /password|secret|token/i.test(key))) {
    throw new UserError(
      'a source of the corpus contains a password, and a schedule is stored in the database',
      {
        hint: 'Leave it out, and let the process that runs the schedules have it in its environment (PGPASSWORD, PGPASSFILE).',
      },
    );
  }
  return source;
}

import {
  INPUT_FORMATS,
  QUOTE_STYLES,
  RETENTIONS,
  RUN_STATES,
  SCORE_FORMATS,
  SHAPES,
} from '@tocsin/core/vocabulary';
import { z } from 'zod';
import {
  pageOf,
  pageQuery,
  pathSerial,
  plainText,
  probability,
  type QueryOf,
  queryFlag,
  queryThreshold,
  serial,
  threshold,
  time,
  title,
} from './values.js';

const runState = z.enum(RUN_STATES);
export const retention = z.enum(RETENTIONS);

/** Row counts of a run so far. */
const runCounters = z.object({
  rows: z.number().int(),
  /** Rows whose content had no score when they were submitted. */
  fresh: z.number().int(),
  known: z.number().int(),
  duplicates: z.number().int(),
  /** Rows that could not be read. */
  rejected: z.number().int(),
  /** Rows longer than the guard's maximum length: only the beginning is scored. */
  truncated: z.number().int(),
});

/** Progress of the forward passes that a run waits for. */
const runProgress = z.object({
  /** Distinct contents to score, and those scored so far. */
  contents: z.number().int(),
  contentsDone: z.number().int(),
  tokens: z.number().int(),
  tokensDone: z.number().int(),
  /** Rate over the last seconds; null when unknown (yet). */
  contentsPerSecond: z.number().nullable(),
  tokensPerSecond: z.number().nullable(),
  /** Null when it cannot be estimated: while rows still arrive, or while nothing is scored. */
  secondsLeft: z.number().nullable(),
});

/** Row counts. rows = scored + failed + rejected + left. */
const runOutcome = z.object({
  /** Time of the counts. */
  asOf: time,
  /** The counts are final. */
  final: z.boolean(),
  scored: z.number().int(),
  failed: z.number().int(),
  left: z.number().int(),
  /** Rows with score >= threshold; null when the run has no threshold. */
  flagged: z.number().int().nullable(),
});

/** A run in a list. */
const runSummary = z
  .object({
    id: serial,
    name: z.string(),
    guard: z.string(),
    fingerprint: z.string(),
    state: runState,
    /** Why it failed, or what cancelled it if not a person; may have several lines. */
    reason: z.string().nullable(),
    threshold: probability.nullable(),
    retain: retention,
    createdAt: time,
    finishedAt: time.nullable(),
    /** The name of the key it was submitted with; null when submitted without one. */
    owner: z.string().nullable(),
    counters: runCounters,
    /** As of the last time the run's scores were read; null before that. */
    outcome: runOutcome.nullable(),
    /** Null for a finished run. */
    progress: runProgress.nullable(),
  })
  .meta({ id: 'RunSummary' });
export type RunSummary = z.infer<typeof runSummary>;
export const runList = pageOf(runSummary);
export type RunList = z.infer<typeof runList>;
export const runListQuery = z.strictObject({
  ...pageQuery,
  state: runState.optional(),
  name: plainText(200).optional().meta({ description: 'Only runs whose name contains this, ignoring case.' }),
});
export type RunListQuery = QueryOf<typeof runListQuery>;

/** One run. */
export const run = runSummary
  .extend({
    outcome: runOutcome,
    /** Rows with stored text. */
    textsKept: z.number().int(),
    /** Notes on the corpus: what was guessed, skipped or looks doubtful. */
    notes: z.array(z.string()),
  })
  .meta({ id: 'Run' });
export type Run = z.infer<typeof run>;

const howScored = {
  name: title(200).optional(),
  guard: z.string().max(500).optional(),
  retain: retention.optional(),
};

/** Rows in the request. Each is like a line of a JSONL corpus; an unreadable one is rejected. */
export const newRun = z
  .strictObject({
    ...howScored,
    threshold: threshold.optional(),
    rows: z.array(z.record(z.string(), z.unknown())).min(1).max(100_000),
  })
  .meta({ id: 'NewRun' });

const field = plainText(200).min(1).optional();
/** The fields of an upload, besides its files (`file`, optionally .gz or .zst). */
export const uploadFields = z
  .strictObject({
    ...howScored,
    threshold: queryThreshold.optional(),
    format: z.enum(INPUT_FORMATS).optional().meta({ description: 'Default: from the file names.' }),
    shape: z.enum(SHAPES).optional(),
    delimiter: z.string().max(3).optional(),
    quote: z.enum(QUOTE_STYLES).optional().meta({
      description:
        'Quoting of CSV and TSV: double quotes, single quotes, double quotes with backslash escapes, or none.',
    }),
    encoding: plainText(40).optional().meta({ description: 'Encoding of text that is not UTF-8.' }),
    textField: field,
    promptField: field,
    responseField: field,
    messagesField: field,
    toolsField: field,
    idField: field,
  })
  .meta({ id: 'UploadFields' });
export type UploadFields = z.input<typeof uploadFields>;

/** A new run; its rows are being queued. */
export const madeRun = z.object({ id: serial, name: z.string(), guard: z.string() }).meta({ id: 'MadeRun' });
export type MadeRun = z.infer<typeof madeRun>;

/** The `progress` event of /api/runs/:id/events; the last event is named `over`. */
export const runEvent = z
  .object({ id: serial, state: runState, counters: runCounters, progress: runProgress })
  .meta({ id: 'RunEvent' });
export type RunEvent = z.infer<typeof runEvent>;

export const retriedRun = z
  .object({
    /** Parcels that were retried. */
    parcels: z.number().int(),
    /** Failed rows that can be scored again only from their corpus. */
    lost: z.number().int(),
  })
  .meta({ id: 'RetriedRun' });
export type RetriedRun = z.infer<typeof retriedRun>;
export const cancelledRun = z.object({
  /** False when it had already finished. */
  cancelled: z.boolean(),
});
export type CancelledRun = z.infer<typeof cancelledRun>;

/** Statistics of a run's scores. While the run is in progress they are refreshed every few seconds. */
const asOf = {
  asOf: time,
  /** The run has finished; the statistics are final. */
  final: z.boolean(),
};

export const histogramQuery = z.strictObject({ bins: z.coerce.number().int().min(1).max(500).default(50) });
export const histogram = z
  .object({
    ...asOf,
    /** Rows with a score. */
    rows: z.number().int(),
    /** One more edge than bins, from 0 to 1. A bin includes its lower edge; the last one its upper edge too. */
    edges: z.array(z.number()),
    counts: z.array(z.number().int()),
  })
  .meta({ id: 'Histogram' });
export type Histogram = z.infer<typeof histogram>;

export const countsQuery = z.strictObject({ threshold: queryThreshold });
export const counts = z
  .object({
    ...asOf,
    threshold: probability,
    /** Rows with score >= threshold. */
    flagged: z.number().int(),
    scored: z.number().int(),
  })
  .meta({ id: 'Counts' });
export type Counts = z.infer<typeof counts>;

/** `openai-batch` has two files; the second holds its errors. */
export const EXPORT_FORMATS = [...SCORE_FORMATS, 'openai-batch-errors'] as const;
export const exportQuery = z.strictObject({
  format: z.enum(EXPORT_FORMATS).default('jsonl'),
  min: queryThreshold.optional().meta({ description: 'Only rows with at least this score.' }),
  threshold: queryThreshold
    .optional()
    .meta({ description: 'Harmful at or above this score; default: the threshold of the run.' }),
  withText: queryFlag.default(false).meta({ description: 'JSONL only: include stored texts.' }),
});
export type ExportQuery = QueryOf<typeof exportQuery>;

export const runParams = z.strictObject({ id: pathSerial });

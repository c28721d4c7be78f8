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

/** What has become of a run's rows so far. */
const runCounters = z.object({
  rows: z.number().int(),
  /** Of the rows: those whose content had no score when the run came to them. */
  fresh: z.number().int(),
  known: z.number().int(),
  duplicates: z.number().int(),
  /** Rows that could not be read. */
  rejected: z.number().int(),
  /** Rows whose text is longer than the guard reads: only the beginning is scored. */
  truncated: z.number().int(),
});

/** How far the forward passes are that a run waits for. */
const runProgress = z.object({
  /** Distinct contents that had to be scored, and those that are. */
  contents: z.number().int(),
  contentsDone: z.number().int(),
  tokens: z.number().int(),
  tokensDone: z.number().int(),
  /** Of the last seconds; null when nothing is known of them (yet). */
  contentsPerSecond: z.number().nullable(),
  tokensPerSecond: z.number().nullable(),
  /** Null when it cannot be told: while rows still come, or while nothing is scored. */
  secondsLeft: z.number().nullable(),
});

/** What has become of the rows. rows = scored + failed + rejected + left. */
const runOutcome = z.object({
  /** When that was so. */
  asOf: time,
  /** It stays so. */
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
    /** Why it failed, or who cancelled it where that was no person; may have several lines. */
    reason: z.string().nullable(),
    threshold: probability.nullable(),
    retain: retention,
    createdAt: time,
    finishedAt: time.nullable(),
    /** The name of the key that it was submitted with; null when that took none. */
    owner: z.string().nullable(),
    counters: runCounters,
    /** As it was when somebody last looked at the run's scores; null when nobody has. */
    outcome: runOutcome.nullable(),
    /** Null for a run that is over. */
    progress: runProgress.nullable(),
  })
  .meta({ id: 'RunSummary' });
export type RunSummary = z.infer<typeof runSummary>;
export const runList = pageOf(runSummary);
export type RunList = z.infer<typeof runList>;
export const runListQuery = z.strictObject({
  ...pageQuery,
  state: runState.optional(),
  name: plainText(200).optional().meta({ description: 'Only runs whose name holds this, in whatever case.' }),
});
export type RunListQuery = QueryOf<typeof runListQuery>;

/** One run. */
export const run = runSummary
  .extend({
    outcome: runOutcome,
    /** Rows whose text is in the store. */
    textsKept: z.number().int(),
    /** What was guessed, skipped or is doubtful in the corpus. */
    notes: z.array(z.string()),
  })
  .meta({ id: 'Run' });
export type Run = z.infer<typeof run>;

const howScored = {
  name: title(200).optional(),
  guard: z.string().max(500).optional(),
  retain: retention.optional(),
};

/** Rows given in the request. Each is as a line of a JSONL corpus; one that cannot be read is a reject of the run. */
export const newRun = z
  .strictObject({
    ...howScored,
    threshold: threshold.optional(),
    rows: z.array(z.record(z.string(), z.unknown())).min(1).max(100_000),
  })
  .meta({ id: 'NewRun' });

const field = plainText(200).min(1).optional();
/** The fields of an upload, beside its files (`file`, each perhaps .gz or .zst). */
export const uploadFields = z
  .strictObject({
    ...howScored,
    threshold: queryThreshold.optional(),
    format: z
      .enum(INPUT_FORMATS)
      .optional()
      .meta({ description: 'Instead of what the names of the files say.' }),
    shape: z.enum(SHAPES).optional(),
    delimiter: z.string().max(3).optional(),
    quote: z.enum(QUOTE_STYLES).optional().meta({
      description:
        'Quotes of CSV and TSV: double or single ones, double ones escaped by backslashes, or none.',
    }),
    encoding: plainText(40).optional().meta({ description: 'Of text that is not UTF-8.' }),
    textField: field,
    promptField: field,
    responseField: field,
    messagesField: field,
    toolsField: field,
    idField: field,
  })
  .meta({ id: 'UploadFields' });
export type UploadFields = z.input<typeof uploadFields>;

/** A run that was made: its rows are being put into the queue. */
export const madeRun = z.object({ id: serial, name: z.string(), guard: z.string() }).meta({ id: 'MadeRun' });
export type MadeRun = z.infer<typeof madeRun>;

/** The event `progress` of /api/runs/:id/events; the last one is called `over`. */
export const runEvent = z
  .object({ id: serial, state: runState, counters: runCounters, progress: runProgress })
  .meta({ id: 'RunEvent' });
export type RunEvent = z.infer<typeof runEvent>;

export const retriedRun = z
  .object({
    /** Parcels that were taken up again. */
    parcels: z.number().int(),
    /** Rows that have an error and can be scored only from their corpus. */
    lost: z.number().int(),
  })
  .meta({ id: 'RetriedRun' });
export type RetriedRun = z.infer<typeof retriedRun>;
export const cancelledRun = z.object({
  /** False when it was over. */
  cancelled: z.boolean(),
});
export type CancelledRun = z.infer<typeof cancelledRun>;

/** What is said of a run's scores, and when that was so: those of a run that goes on are looked at every few seconds. */
const asOf = {
  asOf: time,
  /** The run is over: it stays so. */
  final: z.boolean(),
};

export const histogramQuery = z.strictObject({ bins: z.coerce.number().int().min(1).max(500).default(50) });
export const histogram = z
  .object({
    ...asOf,
    /** Rows with a score. */
    rows: z.number().int(),
    /** One more than there are bins, from 0 to 1. A bin holds its lower edge; the last one its upper edge too. */
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

/** The format `openai-batch` has two files: its errors are the second. */
export const EXPORT_FORMATS = [...SCORE_FORMATS, 'openai-batch-errors'] as const;
export const exportQuery = z.strictObject({
  format: z.enum(EXPORT_FORMATS).default('jsonl'),
  min: queryThreshold.optional().meta({ description: 'Only rows with at least this score.' }),
  threshold: queryThreshold
    .optional()
    .meta({ description: 'Harmful from this score on; default: that of the run.' }),
  withText: queryFlag.default(false).meta({ description: 'JSONL only: with the texts that were kept.' }),
});
export type ExportQuery = QueryOf<typeof exportQuery>;

export const runParams = z.strictObject({ id: pathSerial });

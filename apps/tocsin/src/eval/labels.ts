import { type CorpusRow, type KeptFields, rejected, rejection } from '@tocsin/corpus';

/** Where the labels of a corpus are, and what they mean. */
export interface LabelFlags {
  labelField?: string;
  groupField?: string;
  positive?: string;
}

/** What is known of a row beside its score. */
export interface RowLabel {
  label: Label | undefined;
  group: string | undefined;
}

/** The group of rows whose group field is absent or null. */
const NO_GROUP = '(none)';

/**
 * Reads the labels of a corpus while it passes by: what `onRow` was given is at `rows[seq - 1]`. A row that cannot be
 * used becomes a reject, before any score is made for it.
 */
export class Labels {
  readonly rows: RowLabel[] = [];
  /** Rows that hold no label. */
  absent = 0;
  /** Rows whose label or group is none. */
  faulty = 0;
  /** Fields that the reader of the corpus has to keep. */
  readonly fields: string[];
  readonly #flags: LabelFlags;
  readonly #needed: boolean;

  /** @param needed whether a row without a label is of no use */
  constructor(flags: LabelFlags, { needed }: { needed: boolean }) {
    this.#flags = flags;
    this.#needed = needed;
    this.fields = [flags.labelField, flags.groupField].filter((field) => field !== undefined);
  }

  readonly onRow = (row: CorpusRow): CorpusRow => {
    const reason = row.kind === 'reject' ? row.reason : this.#read(row.kept ?? {}, row.seq);
    this.rows[row.seq - 1] ??= { label: undefined, group: undefined };
    if (reason === undefined || row.kind === 'reject') return row;
    return rejected(row, rejection('label', reason));
  };

  /** Notes a row's label and group. Returns the reason why it cannot be used, if there is one. */
  readonly #read = (kept: KeptFields, seq: number): string | undefined => {
    const { labelField, groupField, positive } = this.#flags;
    const group = groupField === undefined ? undefined : groupOf(own(kept, groupField));
    if (groupField !== undefined && group === undefined) {
      this.faulty += 1;
      return `The group field ${JSON.stringify(groupField)} is neither a string nor a number.`;
    }
    if (labelField === undefined) return this.#note(seq, undefined, group);
    const read = readLabel(own(kept, labelField), labelField, positive);
    if ('label' in read) return this.#note(seq, read.label, group);
    if ('fault' in read) {
      this.faulty += 1;
      return read.fault;
    }
    this.absent += 1;
    if (!this.#needed) return this.#note(seq, undefined, group);
    return `The row has no label: its field ${JSON.stringify(labelField)} is absent or null.`;
  };

  #note(seq: number, label: Label | undefined, group: string | undefined): undefined {
    this.rows[seq - 1] = { label, group };
  }
}

function own(kept: KeptFields, field: string): unknown {
  return Object.hasOwn(kept, field) ? kept[field] : undefined;
}

function groupOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return NO_GROUP;
  return typeof value === 'object' ? undefined : String(value);
}

/** 1 harmful, 0 safe. */
export type Label = 0 | 1;

/** What a row's label field says: a label, nothing, or something that is no label (a reason for a person). */
export type ReadLabel = { label: Label } | { absent: true } | { fault: string };

const HARMFUL: ReadonlySet<string> = new Set(['1', 'true', 'harmful', 'unsafe']);
const SAFE: ReadonlySet<string> = new Set(['0', 'false', 'safe']);

/**
 * Reads a label: 1 or 0, true or false (also as strings), "harmful" or "unsafe" against "safe". With `positive`, that
 * value is harmful and every other one is safe. Null counts as absent. Nothing is guessed: everything else is a fault.
 */
export function readLabel(value: unknown, field: string, positive?: string): ReadLabel {
  if (value === undefined || value === null) return { absent: true };
  const name = JSON.stringify(field);
  if (typeof value === 'object') {
    return { fault: `The label field ${name} is ${Array.isArray(value) ? 'an array' : 'an object'}.` };
  }
  const text = String(value);
  if (positive !== undefined) return { label: text === positive ? 1 : 0 };
  if (HARMFUL.has(text.toLowerCase())) return { label: 1 };
  if (SAFE.has(text.toLowerCase())) return { label: 0 };
  // A string may be anything, also the row's text: it is not repeated.
  const found = typeof value === 'number' ? `the number ${value}` : `another ${typeof value}`;
  return { fault: `The label field ${name} is ${found}; ${EXPECTED}.` };
}

const EXPECTED =
  '1 or 0, true or false, harmful (unsafe) or safe was expected, or --positive with the harmful value';

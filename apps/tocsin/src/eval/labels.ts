import { type CorpusRow, type KeptFields, rejected, rejection } from '@tocsin/corpus';

/** Which field holds the labels of a corpus, and what its values mean. */
export interface LabelFlags {
  labelField?: string;
  groupField?: string;
  positive?: string;
}

/** A row's label and group. */
export interface RowLabel {
  label: Label | undefined;
  group: string | undefined;
}

/** The group of rows whose group field is absent or null. */
const NO_GROUP = '(none)';

/**
 * Collects the labels of a corpus while it is read: row `seq` is at `rows[seq - 1]`. A row with an invalid label
 * becomes a reject before it is scored.
 */
export class Labels {
  readonly rows: RowLabel[] = [];
  /** Rows without a label. */
  absent = 0;
  /** Rows with an invalid label or group. */
  faulty = 0;
  /** Fields that the corpus reader must keep. */
  readonly fields: string[];
  readonly #flags: LabelFlags;
  readonly #needed: boolean;

  /** @param needed whether a row without a label is rejected */
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

  /** Records a row's label and group. @returns the reason to reject the row, if there is one */
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

/** The content of a label field: a label, nothing, or the reason why it is invalid. */
export type ReadLabel = { label: Label } | { absent: true } | { fault: string };

const HARMFUL: ReadonlySet<string> = new Set(['1', 'true', 'harmful', 'unsafe']);
const SAFE: ReadonlySet<string> = new Set(['0', 'false', 'safe']);

/**
 * Parses a label: 1 or 0, true or false (also as strings), "harmful" or "unsafe" versus "safe". With `positive`, that
 * value is harmful and every other one is safe. Null counts as absent. Everything else is invalid.
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
  // A string may be anything, even the row's text, so it is not repeated in the message.
  const found = typeof value === 'number' ? `the number ${value}` : `another ${typeof value}`;
  return { fault: `The label field ${name} is ${found}; ${EXPECTED}.` };
}

const EXPECTED =
  'expected 1 or 0, true or false, harmful (unsafe) or safe; or set --positive to the harmful value';

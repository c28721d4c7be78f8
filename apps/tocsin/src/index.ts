import type { Retention } from '@tocsin/core';
import { type CorpusFields, DEFAULT_FIELDS, DEFAULT_TABLE_MODE, type TableMode } from '@tocsin/corpus';
import type { CorpusFlags } from './options/corpus-options.js';
import { scoreToOutput } from './score/command.js';
import type { ScoreSummary } from './score/summary.js';

export { UserError } from '@tocsin/core';
export type { ScoreSummary };

/** The options of `tocsin score`, by the same names. */
export interface ScoreOptions
  extends Pick<
    CorpusFlags,
    'inputFormat' | 'shape' | 'delimiter' | 'quote' | 'encoding' | 'query' | 'dataDir'
  > {
  /** `starter`, `owner/name[@revision]` on the hub, or an artifact directory. */
  guard: string;
  backbone?: string;
  precision?: string;
  /** `auto` (default), `cpu`, `cuda[:n]` or `webgpu`. */
  device?: string;
  threads?: number;
  cacheDir?: string;
  /** File or `postgres://...` that gets the scores, in the order of the rows. */
  out: string;
  /** Format of `out` (default: from its name). */
  format?: string;
  /** Table of a `postgres://...` output, and what to do if it has rows. */
  outTable?: string;
  outMode?: TableMode;
  /** Names of the fields (default: `text`, `prompt`, `response`, `messages`, `tools`, `id`). */
  fields?: Partial<CorpusFields>;
  /** In [0, 1] (default: the guard's). */
  threshold?: number;
  /** Texts that stay in the database (default: none). */
  retain?: Retention;
  /** Name of the run. */
  name?: string;
  /** Stops scoring cleanly; the same call later goes on from there. */
  signal?: AbortSignal;
}

/**
 * Scores every row of a corpus and writes the scores, as `tocsin score` does: with the database of `DATABASE_URL` or an
 * embedded one, in a worker process. Notes on what was guessed or left out go to standard error.
 *
 * @param sources files, directories, patterns, or a `postgres://...` address with `query`
 * @returns counts; rows without a score are counted in `rejected` and `failed`, and are in the output with the reason
 * @throws UserError with a `hint` for what the caller can fix
 * @example
 * const { scored, flagged } = await scoreCorpus('rows.jsonl', { guard: 'starter', out: 'scores.jsonl' });
 */
export function scoreCorpus(
  sources: string | readonly string[],
  options: ScoreOptions,
): Promise<ScoreSummary> {
  const { fields, signal = new AbortController().signal, outMode = DEFAULT_TABLE_MODE, ...flags } = options;
  const { text, prompt, response, messages, tools, id } = { ...DEFAULT_FIELDS, ...fields };
  const fieldFlags = {
    textField: text,
    promptField: prompt,
    responseField: response,
    messagesField: messages,
    toolsField: tools,
    idField: id,
  };
  const files = typeof sources === 'string' ? [sources] : [...sources];
  return scoreToOutput(files, { retain: 'none', ...flags, ...fieldFlags, outMode, quiet: true }, signal);
}

import type { Retention } from '@tocsin/core';
import { DEFAULT_TABLE_MODE, type TableMode } from '@tocsin/core';
import { type CorpusFields, DEFAULT_FIELDS } from '@tocsin/corpus';
import type { CorpusFlags } from './options/corpus-options.js';
import { scoreToOutput } from './score/command.js';
import type { ScoreSummary } from './score/summary.js';

export { UserError } from '@tocsin/core';
export type { ScoreSummary };

/** The options of `tocsin score`, under the same names. */
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
  /** File or `postgres://...` URL for the scores, in row order. */
  out: string;
  /** Format of `out` (default: from its extension). */
  format?: string;
  /** Table of a `postgres://...` output, and what to do if it has rows. */
  outTable?: string;
  outMode?: TableMode;
  /** Field names (default: `text`, `prompt`, `response`, `messages`, `tools`, `id`). */
  fields?: Partial<CorpusFields>;
  /** In [0, 1] (default: the guard's). */
  threshold?: number;
  /** Texts kept in the database (default: none). */
  retain?: Retention;
  /** Name of the run. */
  name?: string;
  /** Stops scoring cleanly; the same call later resumes. */
  signal?: AbortSignal;
}

/**
 * Scores every row of a corpus and writes the scores, as `tocsin score` does: with the database of `DATABASE_URL` or an
 * embedded one, in a worker process. Notes on guessed settings and skipped rows go to standard error.
 * @param sources files, directories, globs, or a `postgres://...` URL with `query`
 * @returns counts; rows without a score are counted in `rejected` and `failed`, and written with the reason
 * @throws UserError with a `hint` for errors that the caller can fix
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

import { checkSources, placeOf, readCorpus } from '@tocsin/corpus';
import type { EvaluatedRow } from '@tocsin/evaluate';
import { type CorpusFlags, openCorpus } from '../options/corpus-options.js';
import { SHOWN_PROBLEMS } from '../terminal/problems.js';
import { type GivenScores, readGivenScores, twice } from './given-scores.js';
import { type LabelFlags, Labels } from './labels.js';
import type { LabelledScores } from './score-labelled.js';

/**
 * Joins a labelled corpus with existing scores (from `tocsin score` or `tocsin runs export`) by key. The corpus needs only
 * keys and labels, no texts.
 * @throws UserError for a duplicate key in either file: the rows could not be matched
 */
export async function joinScores(
  files: string[],
  flags: CorpusFlags & LabelFlags & { scores: string; threshold?: number },
  signal: AbortSignal,
): Promise<LabelledScores> {
  const { sources, reading } = await openCorpus(files, flags);
  await checkSources(sources.includes('-') ? ['-', flags.scores] : [flags.scores]);
  const given = await readGivenScores(flags.scores, signal);
  const labels = new Labels(flags, { needed: true });
  const seen = new Set<string>();
  const rows: EvaluatedRow[] = [];
  const counts = { rows: 0, rejected: 0, withoutScore: 0 };
  let matched = 0;
  const problems: string[] = [];
  for await (const chunk of readCorpus(sources, { ...reading, keep: labels.fields, signal })) {
    for (const row of chunk) {
      counts.rows += 1;
      const place = placeOf(row);
      if (row.kept === undefined) {
        counts.rejected += 1;
        problems.push(`${place}: ${row.kind === 'reject' ? row.reason : 'no fields'}`);
        continue;
      }
      // The row may lack a text.
      const judged = labels.onRow({ ...row, kind: 'item', content: {} });
      if (judged.kind === 'reject') {
        problems.push(`${place}: ${judged.reason}`);
        continue;
      }
      if (seen.has(row.key)) throw twice('The corpus', row.key, place);
      seen.add(row.key);
      if (given.of(row.key) !== undefined) matched += 1;
      const joined = joinRow(row.key, labels, row.seq, given);
      if (typeof joined !== 'string') {
        rows.push(joined);
        continue;
      }
      counts.withoutScore += 1;
      problems.push(`${place}: ${joined}`);
    }
    problems.length = Math.min(problems.length, SHOWN_PROBLEMS);
  }
  return {
    rows,
    counts: {
      ...counts,
      evaluated: rows.length,
      withoutLabel: labels.absent,
      faultyLabel: labels.faulty,
    },
    problems,
    source: {
      kind: 'file',
      file: flags.scores,
      unmatched: given.size - matched,
    },
    threshold: flags.threshold ?? given.threshold(),
  };
}

/** The row with its score, or the reason for having none. */
function joinRow(key: string, labels: Labels, seq: number, given: GivenScores): EvaluatedRow | string {
  const score = given.of(key);
  const { label, group } = labels.rows[seq - 1] ?? {};
  if (score === undefined) return `The scores have no row with the key ${JSON.stringify(key)}.`;
  if (typeof score === 'string') return `It has no score: ${score}`;
  if (label === undefined) throw new Error(`row ${seq} has no label`);
  return { key, score, label, group };
}

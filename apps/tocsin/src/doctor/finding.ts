/**
 * What a check came to: `ok`; `note`, something that could be better or is not there and need not be; `problem`,
 * something without which nothing can be scored.
 */
export type Verdict = 'ok' | 'note' | 'problem';

/** One line of the doctor's answer. */
export interface Finding {
  /** What was looked at, in a word or two. */
  subject: string;
  verdict: Verdict;
  /** What is there, or what is wrong. */
  says: string;
  /** For what is not ok: what to do. */
  todo?: string;
}

export const ok = (subject: string, says: string): Finding => ({ subject, verdict: 'ok', says });
export const note = (subject: string, says: string, todo: string): Finding => ({
  subject,
  verdict: 'note',
  says,
  todo,
});
export const problem = (subject: string, says: string, todo: string): Finding => ({
  subject,
  verdict: 'problem',
  says,
  todo,
});

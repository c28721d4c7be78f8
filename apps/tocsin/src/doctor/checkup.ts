import { isUserError, messageOf } from '@tocsin/core';

/** What checks look at beside the machine. */
export interface Circumstances {
  env: NodeJS.ProcessEnv;
  cacheDir?: string;
  dataDir?: string;
  /** To be opened and tried. */
  guard?: { ref: string; backbone?: string; precision?: string; device?: string; threads?: number };
}

/** Looks at one thing, and changes nothing. */
export interface Check {
  subject: string;
  look(circumstances: Circumstances): Promise<Finding[]> | Finding[];
}

/**
 * Runs checks one after another. One that fails in a way it did not think of is itself a finding: the others go on.
 * @param show told of each finding as it comes
 */
export async function checkUp(
  checks: readonly Check[],
  circumstances: Circumstances,
  show: (finding: Finding) => void = () => {},
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { subject, look } of checks) {
    for (const finding of await lookAt(subject, look, circumstances)) {
      findings.push(finding);
      show(finding);
    }
  }
  return findings;
}

async function lookAt(
  subject: string,
  look: Check['look'],
  circumstances: Circumstances,
): Promise<Finding[]> {
  try {
    return await look(circumstances);
  } catch (error) {
    const todo = isUserError(error) ? error.hint : undefined;
    return [note(subject, `could not be looked at: ${messageOf(error)}`, todo ?? 'Please report this.')];
  }
}

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

import { isUserError, messageOf } from '@tocsin/core';

/** Input of the checks. */
export interface Circumstances {
  env: NodeJS.ProcessEnv;
  cacheDir?: string;
  dataDir?: string;
  /** A guard to open and try. */
  guard?: { ref: string; backbone?: string; precision?: string; device?: string; threads?: number };
}

/** A read-only check of one subject. */
export interface Check {
  subject: string;
  look(circumstances: Circumstances): Promise<Finding[]> | Finding[];
}

/**
 * Runs checks one after another. An unexpected failure of a check is itself a finding, and the other checks still run.
 * @param show called with each finding
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
    return [note(subject, `could not be checked: ${messageOf(error)}`, todo ?? 'Please report this.')];
  }
}

/**
 * The level of a finding: `ok`; `note` for something optional or improvable; `problem` for something without which
 * scoring cannot work.
 */
export type Verdict = 'ok' | 'note' | 'problem';

/** One line of the output. */
export interface Finding {
  /** The subject, in one or two words. */
  subject: string;
  verdict: Verdict;
  /** The result. */
  says: string;
  /** What to do, unless it is ok. */
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

/** The hint of an error, or the given default. */
export function hintOf(error: unknown, otherwise: string): string {
  return (isUserError(error) ? error.hint : undefined) ?? otherwise;
}

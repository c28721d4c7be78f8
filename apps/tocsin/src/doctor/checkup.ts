import { isUserError, messageOf } from '@tocsin/core';
import { type Finding, note } from './finding.js';

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

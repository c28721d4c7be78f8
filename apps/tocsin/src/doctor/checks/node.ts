import type { Check } from '../checkup.js';
import { type Finding, ok, problem } from '../finding.js';

const SUBJECT = 'Node.js';
/** As package.json's engines. */
const LEAST = 20;

export const nodeCheck: Check = { subject: SUBJECT, look: () => [judgeNode(process.versions.node)] };

export function judgeNode(version: string): Finding {
  const says = `${version} on ${process.platform} ${process.arch}`;
  if (Number(version.split('.')[0]) >= LEAST) return ok(SUBJECT, says);
  return problem(SUBJECT, says, `Install Node.js ${LEAST} or newer.`);
}

const TRACE_LINES = 8;
const DEFECT = 'tocsin: this is a defect';

/** What a command that has failed says of it, without the advice below; of a crash, where it was. */
export function lastWords(stderr: string): string {
  const lines = stderr.trim().split('\n');
  const said = lines.findLast((line) => line.startsWith('tocsin:'));
  if (said !== undefined && !said.startsWith(DEFECT)) return said;
  const crash = lines.findLastIndex((line) => line.startsWith(DEFECT) || /^\w*Error\b/.test(line));
  return lines.slice(crash).slice(0, TRACE_LINES).join('\n    ');
}

const TRACE_LINES = 6;

/** What a command that has failed says of it, without the advice below; of a crash, where it was. */
export function lastWords(stderr: string): string {
  const lines = stderr.trim().split('\n');
  const said = lines.findLast((line) => line.startsWith('tocsin:'));
  if (said !== undefined) return said;
  const crash = lines.findLastIndex((line) => /^\w*Error\b/.test(line));
  return lines.slice(crash).slice(0, TRACE_LINES).join('\n    ');
}

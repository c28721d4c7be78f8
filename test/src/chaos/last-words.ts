/** What a command that has failed says of it, without the advice below. */
export function lastWords(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.findLast((line) => line.startsWith('tocsin:')) ?? lines.at(-1) ?? '';
}

/**
 * Which tokens of a trajectory the model sees: all, or the first half of what it takes and the last (llm-siren
 * `encode_truncated`). The tools stand at the front, and the last token is where the guard reads.
 *
 * @param tokens    of the whole trajectory
 * @param maxLength that the model takes
 * @returns their indices, in order
 */
export function headAndTail(tokens: number, maxLength: number): number[] {
  const kept = Math.min(tokens, maxLength);
  const head = tokens > maxLength ? Math.floor(maxLength / 2) : tokens;
  return Array.from({ length: kept }, (_, i) => (i < head ? i : i + tokens - kept));
}

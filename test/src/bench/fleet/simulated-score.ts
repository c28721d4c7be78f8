/** A row's score where no model runs: the same for the same tokens, and spread over [0, 1]. */
export function simulatedScore(tokenIds: Int32Array): number {
  let sum = 7;
  for (const id of tokenIds) sum = (Math.imul(sum, 31) + id) | 0;
  return Math.fround((sum >>> 0) / 4_294_967_295);
}

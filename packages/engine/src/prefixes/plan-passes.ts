/** New tokens that a pass takes at most: attention in a prefix graph needs memory for each pair of token and key. */
const PASS_TOKENS = 1024;

/** A piece of a row's new tokens: `count` from `from` on (both of the whole row). */
export interface Piece {
  row: number;
  from: number;
  count: number;
}

/**
 * Cuts rows' new tokens into passes. A row longer than a pass goes through several, in order: its keys and values
 * carry over, so each token is computed once all the same. Rows of nearly one length share a pass.
 *
 * @param rows where each row's new tokens begin and end
 */
export function planPasses(
  rows: readonly { from: number; to: number }[],
  passTokens = PASS_TOKENS,
): Piece[][] {
  const order = rows.map((_, row) => row).sort((a, b) => lengthOf(rows[a]) - lengthOf(rows[b]));
  const passes: Piece[][] = [];
  let pass: Piece[] = [];
  let room = passTokens;
  for (const row of order) {
    const { from = 0, to = 0 } = rows[row] ?? {};
    for (let at = from; at < to; ) {
      // Two pieces of one row cannot share a pass, and half a row in a pass saves nothing: begin a new one.
      if (pass.length > 0 && (to - at > room || pass.at(-1)?.row === row)) {
        passes.push(pass);
        pass = [];
        room = passTokens;
      }
      const count = Math.min(to - at, room);
      pass.push({ row, from: at, count });
      room -= count;
      at += count;
    }
  }
  if (pass.length > 0) passes.push(pass);
  return passes;
}

const lengthOf = (row: { from: number; to: number } | undefined): number =>
  row === undefined ? 0 : row.to - row.from;

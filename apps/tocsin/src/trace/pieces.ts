import type { Trace } from '@tocsin/engine';

/** A piece of the traced text that one score stands for. */
export interface TracePiece {
  text: string;
  /** Of the text up to the end of the piece; undefined for what the model does not see. */
  score: number | undefined;
}

/**
 * A trace as pieces that make up its whole text. A character that several tokens share belongs to the last of them,
 * and what lies between two tokens (blanks that run together, markers) to the one after it.
 */
export function piecesOf({ text, tokens }: Trace): TracePiece[] {
  const pieces: TracePiece[] = [];
  let done = 0;
  let covered = 0;
  for (const [i, { end, score }] of tokens.entries()) {
    covered = Math.max(covered, end);
    const next = tokens[i + 1];
    // Tokens after this one that begin before it ends are parts of the same characters.
    if (covered === done || (next !== undefined && next.start < covered && next.end > next.start)) continue;
    pieces.push({ text: text.slice(done, covered), score });
    done = covered;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), score: undefined });
  return pieces;
}

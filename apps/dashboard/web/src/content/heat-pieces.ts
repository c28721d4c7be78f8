import type { Trace } from '@tocsin/contract';

/** A stretch of a traced text: one token's, or what lies between tokens. */
export interface HeatPiece {
  text: string;
  /** Of everything up to its end; undefined between tokens, and where the model saw nothing. */
  score: number | undefined;
  /** It is the first token at which the threshold is reached. */
  first: boolean;
}

/** The pieces of a stretch of the text; one that reaches over an end of it is cut there. */
export function piecesBetween(pieces: readonly HeatPiece[], start: number, end: number): HeatPiece[] {
  const within: HeatPiece[] = [];
  let at = 0;
  for (const piece of pieces) {
    const text = piece.text.slice(Math.max(0, start - at), Math.max(0, end - at));
    if (text !== '') within.push({ ...piece, text });
    at += piece.text.length;
  }
  return within;
}

/** Cuts a traced text at its tokens. Joined, the pieces are the text; tokens of half a character share one piece. */
export function heatPieces({
  text,
  tokens,
  firstHarmful,
}: Pick<Trace, 'text' | 'tokens' | 'firstHarmful'>): HeatPiece[] {
  const pieces: HeatPiece[] = [];
  let at = 0;
  tokens.forEach(({ start, end, score }, index) => {
    const first = index === firstHarmful;
    const from = Math.max(at, start);
    if (end <= from) {
      // A character of many tokens counts as its last one says.
      const last = pieces.at(-1);
      if (last !== undefined && end > 0) {
        last.score = score;
        last.first ||= first;
      }
      return;
    }
    if (from > at) pieces.push({ text: text.slice(at, from), score: undefined, first: false });
    pieces.push({ text: text.slice(from, end), score, first });
    at = end;
  });
  if (at < text.length) pieces.push({ text: text.slice(at), score: undefined, first: false });
  return pieces;
}

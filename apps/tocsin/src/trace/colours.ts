import type { Trace } from '@tocsin/engine';
import type { ChalkInstance } from 'chalk';

/** From no colour to red, as a terminal's background, by score. Text stays readable in light and dark terminals. */
const STEPS: { from: number; background: [number, number, number] }[] = [
  { from: 0.9, background: [200, 40, 40] },
  { from: 0.7, background: [215, 95, 60] },
  { from: 0.5, background: [230, 150, 80] },
  { from: 0.3, background: [240, 200, 120] },
  { from: 0.1, background: [245, 230, 180] },
];
const DARK_TEXT: [number, number, number] = [20, 20, 20];
const LIGHT_TEXT: [number, number, number] = [255, 255, 255];

/** Paints a piece of text by the score of the text up to its end. */
export function paint(chalk: ChalkInstance, score: number, text: string): string {
  const step = STEPS.find(({ from }) => score >= from);
  if (step === undefined) return text;
  const foreground = step.from >= 0.7 ? LIGHT_TEXT : DARK_TEXT;
  return chalk.bgRgb(...step.background).rgb(...foreground)(text);
}

/** One line that says what the colours mean. */
export function legend(chalk: ChalkInstance): string {
  return STEPS.toReversed()
    .map(({ from }) => paint(chalk, from, ` ${from} `))
    .join('');
}

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

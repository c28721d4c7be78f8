import type { Trace } from '@tocsin/engine';
import type { ChalkInstance } from 'chalk';

/** Terminal background colours from none to red, by score. Text stays readable on light and dark terminals. */
const STEPS: { from: number; background: [number, number, number] }[] = [
  { from: 0.9, background: [200, 40, 40] },
  { from: 0.7, background: [215, 95, 60] },
  { from: 0.5, background: [230, 150, 80] },
  { from: 0.3, background: [240, 200, 120] },
  { from: 0.1, background: [245, 230, 180] },
];
const DARK_TEXT: [number, number, number] = [20, 20, 20];
const LIGHT_TEXT: [number, number, number] = [255, 255, 255];

/** Colours a piece of text by the score of the text up to its end. */
export function paint(chalk: ChalkInstance, score: number, text: string): string {
  const step = STEPS.find(({ from }) => score >= from);
  if (step === undefined) return text;
  const foreground = step.from >= 0.7 ? LIGHT_TEXT : DARK_TEXT;
  return chalk.bgRgb(...step.background).rgb(...foreground)(text);
}

/** One line that explains the colours. */
export function legend(chalk: ChalkInstance): string {
  return STEPS.toReversed()
    .map(({ from }) => paint(chalk, from, ` ${from} `))
    .join('');
}

/** A piece of the traced text with one score. */
export interface TracePiece {
  text: string;
  /** Score of the text up to the end of the piece; undefined beyond the model's input. */
  score: number | undefined;
}

/**
 * Splits a trace into pieces that add up to its text. A character shared by several tokens gets the last one's score;
 * text between two tokens (collapsed blanks, markers) belongs to the following token.
 */
export function piecesOf({ text, tokens }: Trace): TracePiece[] {
  const pieces: TracePiece[] = [];
  let done = 0;
  let covered = 0;
  for (const [i, { end, score }] of tokens.entries()) {
    covered = Math.max(covered, end);
    const next = tokens[i + 1];
    // Following tokens that start before this one ends are parts of the same characters.
    if (covered === done || (next !== undefined && next.start < covered && next.end > next.start)) continue;
    pieces.push({ text: text.slice(done, covered), score });
    done = covered;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), score: undefined });
  return pieces;
}

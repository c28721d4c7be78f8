import { readFile } from 'node:fs/promises';
import { text as readText } from 'node:stream/consumers';
import { messageOf, UserError } from '@tocsin/core';
import { fieldSource } from '@tocsin/corpus';
import { Guard, type Item, type Trace } from '@tocsin/engine';
import { Chalk, type ChalkInstance } from 'chalk';
import { Command, Option } from 'commander';
import { addGuardOptions, type GuardFlags } from '../options/guard-options.js';
import { probability } from '../options/values.js';
import { withModelProgress } from '../terminal/model-progress.js';
import { printable } from '../terminal/printable.js';

interface TraceFlags extends GuardFlags {
  file?: string;
  prompt?: string;
  response?: string;
  messages?: string;
  threshold?: number;
  json?: boolean;
}

/** `tocsin trace`: shows where a text turns harmful. */
export function traceCommand(): Command {
  return addGuardOptions(new Command('trace'))
    .description('Show the score after every token of a text, as colours')
    .argument('[text]', 'the text, or - for standard input')
    .option('--file <file>', 'read the text from a file')
    .addOption(new Option('--prompt <text>', 'a prompt, instead of a text').conflicts('file'))
    .addOption(new Option('--response <text>', 'the response to it').conflicts('file'))
    .addOption(
      new Option(
        '--messages <file>',
        'a JSON file: messages, or an object with messages and tools (trajectory guards)',
      ).conflicts(['file', 'prompt', 'response']),
    )
    .option('--threshold <p>', "harmful from this score on (default: the artifact's)", probability)
    .option('--json', 'print the tokens, their places and scores as JSON')
    .action(async (text: string | undefined, flags: TraceFlags) => trace(text, flags));
}

async function trace(text: string | undefined, flags: TraceFlags): Promise<void> {
  const input = await inputOf(text, flags);
  const guard = await withModelProgress((shown) =>
    Guard.fromPretrained(flags.guard, { ...flags, ...shown, load: 'prefixes' }),
  );
  try {
    const result = await guard.trace(input, { threshold: flags.threshold });
    process.stdout.write(`${flags.json === true ? JSON.stringify(result) : traceText(result)}\n`);
  } finally {
    await guard.close();
  }
}

async function inputOf(text: string | undefined, flags: TraceFlags): Promise<Item> {
  const { file, prompt, response, messages } = flags;
  const ways = [text, file, prompt ?? response, messages].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw new UserError(ways.length === 0 ? 'no text is given' : 'a text was given in more than one way', {
      hint: 'Give one of: a text (or - for standard input), --file, --prompt and/or --response, --messages.',
    });
  }
  if (messages !== undefined) return trajectoryOf(messages, await readFileText(messages));
  if (file !== undefined) return { text: await readFileText(file) };
  if (text !== undefined) return { text: text === '-' ? await readText(process.stdin) : text };
  return { prompt, response };
}

async function readFileText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new UserError(`cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}

/** The coloured text, where it first turns harmful, and its score. Without colours (a pipe): one line per token. */
export function traceText(trace: Trace, chalk = new Chalk()): string {
  const pieces = piecesOf(trace);
  const body =
    chalk.level === 0
      ? pieces
          .map(({ text, score }) => `${score?.toFixed(4) ?? 'unseen'}  ${JSON.stringify(text)}`)
          .join('\n')
      : pieces
          .map(({ text, score }) =>
            score === undefined ? chalk.dim(printable(text)) : paint(chalk, score, printable(text)),
          )
          .join('');
  return [
    body,
    '',
    ...(chalk.level === 0 ? [] : [`score up to here: ${legend(chalk)}`]),
    `score ${trace.score.toFixed(4)}: ${trace.isHarmful ? 'harmful' : 'not harmful'} at ${trace.threshold}${firstCrossing(trace)}`,
    ...(trace.omittedTokens > 0 ? [`tokens that the guard does not see: ${trace.omittedTokens}`] : []),
  ].join('\n');
}

function firstCrossing({ tokens, threshold }: Trace): string {
  const first = tokens.findIndex(({ score }) => score >= threshold);
  if (first < 0) return '';
  return `; first reached at token ${first + 1} of ${tokens.length}`;
}

/**
 * Reads a trajectory from a JSON file: an array of messages, or an object with `messages` and optional `tools`. Both
 * stay raw JSON, because the spelling of numbers can change a score.
 */
export function trajectoryOf(file: string, json: string): Item {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new UserError(`${file} is no valid JSON: ${messageOf(cause)}`, { cause });
  }
  if (Array.isArray(value)) return { messages: json };
  const messages = typeof value === 'object' && value !== null ? fieldSource(json, 'messages') : undefined;
  if (messages === undefined) {
    throw new UserError(`${file} must contain an array of messages, or an object with messages and tools`);
  }
  return { messages, tools: fieldSource(json, 'tools') };
}

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

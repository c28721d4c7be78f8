import type { Run } from '@tocsin/store';
import { type Command, InvalidArgumentError } from 'commander';
import { durationText } from '../score/progress.js';

/** UTC to the minute: `2026-11-24 03:00`. */
export const whenText = (date: Date): string => date.toISOString().slice(0, 16).replace('T', ' ');

/** A run as `--json` prints it. */
export function runJson({ guardId: _, ownerKey: __, countedAt: ___, final: ____, ...run }: Run) {
  return run;
}

/** From a run's creation to its end, or until now. */
export function tookText({ createdAt, finishedAt }: Pick<Run, 'createdAt' | 'finishedAt'>): string {
  const text = durationText(((finishedAt ?? new Date()).getTime() - createdAt.getTime()) / 1000);
  return finishedAt === null ? `${text} so far` : text;
}

/** The run argument of a command. */
export function addRunArgument(command: Command): Command {
  return command.argument('<run>', 'run id, from tocsin runs list', runId);
}

export function runId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected the id of a run, a whole number from 1.');
}

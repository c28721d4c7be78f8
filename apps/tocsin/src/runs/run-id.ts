import { type Command, InvalidArgumentError } from 'commander';

/** The argument of a command that is about one run. */
export function addRunArgument(command: Command): Command {
  return command.argument('<run>', 'its id, as `tocsin runs` lists it', runId);
}

export function runId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected the id of a run, a whole number from 1.');
}

import { Command } from 'commander';

type Load = () => Promise<Command>;

/**
 * Commands by group, in help order, each with a lazy import: importing all of them (onnxruntime, BullMQ, Fastify, ...) takes
 * a second, and a call needs one.
 */
const GROUPS: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  'Score:': {
    score: async () => (await import('./score/command.js')).scoreCommand(),
    trace: async () => (await import('./trace/command.js')).traceCommand(),
    eval: async () => (await import('./eval/command.js')).evalCommand(),
    compare: async () => (await import('./compare/command.js')).compareCommand(),
    calibrate: async () => (await import('./calibrate/command.js')).calibrateCommand(),
    guards: async () => (await import('./guards/command.js')).guardsCommand(),
  },
  'Queue runs for workers:': {
    submit: async () => (await import('./submit/command.js')).submitCommand(),
    runs: async () => (await import('./runs/command.js')).runsCommand(),
    schedule: async () => (await import('./schedule/command.js')).scheduleCommand(),
  },
  'Run services:': {
    start: async () => (await import('./start/command.js')).startCommand(),
    work: async () => (await import('./work/command.js')).workCommand(),
    dashboard: async () => (await import('./dashboard/command.js')).dashboardCommand(),
    keys: async () => (await import('./keys/command.js')).keysCommand(),
    migrate: async () => (await import('./migrate/command.js')).migrateCommand(),
  },
  'Set up:': {
    quickstart: async () => (await import('./quickstart.js')).quickstartCommand(),
    doctor: async () => (await import('./doctor/command.js')).doctorCommand(),
  },
};

/** Hidden aliases from before the `runs` group existed. */
const ALIASES: Readonly<Record<string, Load>> = {
  run: async () => (await import('./runs/show.js')).showCommand('run'),
  export: async () => (await import('./runs/export.js')).exportCommand(),
  cancel: async () => (await import('./runs/change.js')).cancelCommand(),
  retry: async () => (await import('./runs/change.js')).retryCommand(),
  purge: async () => (await import('./runs/purge.js')).purgeCommand(),
};

/** Prints a completion script for a shell (`tocsin complete bash`), and serves its requests. */
const COMPLETE = 'complete';

/**
 * Registers the called command only; all of them for the help and for suggestions after an unknown name.
 * @param words the arguments of the called command
 */
export async function addCommands(
  program: Command,
  called: string | undefined,
  words: readonly string[] = [],
): Promise<void> {
  if (called === '-V' || called === '--version') return;
  if (called === COMPLETE) {
    await addCompletion(program, words);
    return;
  }
  const load = loaderOf(called);
  if (load !== undefined) {
    program.addCommand(await load());
    return;
  }
  for (const [heading, group] of Object.entries(GROUPS)) {
    for (const each of Object.values(group)) program.addCommand((await each()).helpGroup(heading));
  }
  program.addHelpCommand(
    new Command('help').argument('[command]').description('Show the help of a command').helpGroup('Set up:'),
  );
  // Its implementation walks all commands.
  program
    .command(COMPLETE)
    .helpGroup('Set up:')
    .description('Print a completion script for bash, zsh, fish or powershell')
    .argument('<shell>');
  for (const each of Object.values(ALIASES)) program.addCommand(await each(), { hidden: true });
}

function loaderOf(name: string | undefined): Load | undefined {
  return [...Object.values(GROUPS), ALIASES].map((group) => group[name ?? '']).find(Boolean);
}

/** Loads only the command being completed. @param words of a request: `--` and the partial command line */
async function addCompletion(program: Command, words: readonly string[]): Promise<void> {
  const [mark, typed, ...rest] = words;
  const load = mark === '--' && rest.length > 0 ? loaderOf(typed) : undefined;
  for (const name of Object.values(GROUPS).flatMap(Object.keys)) {
    program.addCommand(name === typed && load !== undefined ? await load() : new Command(name));
  }
  const { default: completion } = await import('@bomb.sh/tab/commander');
  // The partial command line arrives as arguments.
  program.allowExcessArguments();
  completion(program, { completionCommandName: COMPLETE });
}

import type { Command } from 'commander';

/**
 * The commands, in the order of the help, each with the way to load it: what one of them imports (onnxruntime, BullMQ,
 * Fastify, ...) takes a second, and a call needs one command.
 */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  score: async () => (await import('./score/command.js')).scoreCommand(),
  eval: async () => (await import('./eval/command.js')).evalCommand(),
  compare: async () => (await import('./compare/command.js')).compareCommand(),
  trace: async () => (await import('./trace/command.js')).traceCommand(),
  guards: async () => (await import('./guards/command.js')).guardsCommand(),
  submit: async () => (await import('./submit/command.js')).submitCommand(),
  runs: async () => (await import('./runs/list.js')).runsCommand(),
  run: async () => (await import('./runs/show.js')).runCommand(),
  export: async () => (await import('./runs/export.js')).exportCommand(),
  cancel: async () => (await import('./runs/change.js')).cancelCommand(),
  retry: async () => (await import('./runs/change.js')).retryCommand(),
  purge: async () => (await import('./runs/purge.js')).purgeCommand(),
  schedule: async () => (await import('./schedule/command.js')).scheduleCommand(),
  work: async () => (await import('./work/command.js')).workCommand(),
  dashboard: async () => (await import('./dashboard/command.js')).dashboardCommand(),
  keys: async () => (await import('./keys/command.js')).keysCommand(),
  doctor: async () => (await import('./doctor/command.js')).doctorCommand(),
  start: async () => (await import('./start/command.js')).startCommand(),
};
/** Not in the help. */
const HIDDEN: typeof COMMANDS = {
  quickstart: async () => (await import('./quickstart.js')).quickstartCommand(),
};

const LOADERS = new Map([...Object.entries(COMMANDS), ...Object.entries(HIDDEN)]);

/** Adds the command that is called; all of them when it is none that is known, for the help and the suggestions. */
export async function addCommands(program: Command, called: string | undefined): Promise<void> {
  if (called === '-V' || called === '--version') return;
  const load = LOADERS.get(called ?? '');
  if (load !== undefined) {
    program.addCommand(await load());
    return;
  }
  for (const each of Object.values(COMMANDS)) program.addCommand(await each());
  for (const each of Object.values(HIDDEN)) program.addCommand(await each(), { hidden: true });
}

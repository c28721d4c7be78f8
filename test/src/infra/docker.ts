import { spawn } from 'node:child_process';
import { ROOT } from '../setup/tocsin.js';

/** What a command printed and how it ended. */
export interface Ran {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a command in the checkout. @throws when the program is not installed */
export function run(
  command: readonly string[],
  { stdin, env }: { stdin?: Buffer; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, env: { ...process.env, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode: exitCode ?? -1, stdout, stderr }));
    // A command that does not read its input may end first.
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
  });
}

/** Runs a command that must exit with 0, and returns its standard output. */
export async function output(
  command: readonly string[],
  options: Parameters<typeof run>[1] = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await run(command, options);
  if (exitCode !== 0) throw new Error(`${command.join(' ')} exited with ${exitCode}:\n${stdout}${stderr}`);
  return stdout.trim();
}

const works = (command: readonly string[]): Promise<boolean> =>
  run(command).then(
    ({ exitCode }) => exitCode === 0,
    () => false,
  );

/** `docker compose`, or the older `docker-compose`; undefined without either. */
export async function findCompose(): Promise<string[] | undefined> {
  for (const command of [['docker', 'compose'], ['docker-compose']])
    if (await works([...command, 'version'])) return command;
  return undefined;
}

/** Why nothing can be run in containers here, as a clause; undefined when it can. @param images that are needed */
export async function whyNoContainers(images: readonly string[]): Promise<string | undefined> {
  if (!(await works(['docker', 'info']))) return 'no Docker daemon answers';
  if ((await findCompose()) === undefined) return 'Docker Compose is not installed';
  for (const image of images) {
    if (await works(['docker', 'image', 'inspect', image])) continue;
    if (!(await works(['docker', 'pull', '--quiet', image]))) return `the image ${image} cannot be pulled`;
  }
  return undefined;
}

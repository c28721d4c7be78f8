import { Chalk } from 'chalk';
import { Command } from 'commander';
import { addGuardOptions, type GuardFlags } from '../options/guard-options.js';
import { EXIT } from '../terminal/interrupt.js';
import { oneLine, printable } from '../terminal/printable.js';
import { jsonText } from '../terminal/table.js';
import { memoryCheck, nodeCheck, processorCheck } from './checks/machine.js';
import { cacheCheck, guardCheck, hubCheck, pipCheck } from './checks/models.js';
import { gpuCheck, runtimeCheck } from './checks/runtime.js';
import { databaseCheck, queueCheck } from './checks/servers.js';
import { type Check, checkUp, type Finding, type Verdict } from './checkup.js';

/** In output order. */
const CHECKS: readonly Check[] = [
  nodeCheck,
  processorCheck,
  memoryCheck,
  runtimeCheck,
  gpuCheck,
  cacheCheck,
  hubCheck,
  pipCheck,
  databaseCheck,
  queueCheck,
  guardCheck,
];

interface DoctorFlags extends Partial<GuardFlags> {
  dataDir?: string;
  json?: boolean;
}

/** `tocsin doctor`: checks what works here, and says how to fix the rest. */
export function doctorCommand(): Command {
  return addGuardOptions(new Command('doctor'), { required: false })
    .description('Check what scoring needs: processor, GPUs, libraries, servers, hub and caches')
    .option(
      '--data-dir <dir>',
      'directory of the embedded database, used when DATABASE_URL is unset (TOCSIN_DATA)',
    )
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', '\nExit code: 1 when something makes scoring impossible, else 0.')
    .action(async (flags: DoctorFlags) => {
      process.exitCode = await doctor(flags);
    });
}

async function doctor({ guard, json, cacheDir, dataDir, ...flags }: DoctorFlags): Promise<number> {
  const findings = await checkUp(
    CHECKS,
    {
      env: process.env,
      cacheDir,
      dataDir,
      guard: guard === undefined ? undefined : { ref: guard, ...flags },
    },
    json === true ? undefined : (finding) => void process.stdout.write(`${findingText(finding)}\n`),
  );
  if (json === true) console.log(jsonText(findings));
  return findings.some(({ verdict }) => verdict === 'problem') ? EXIT.failed : EXIT.ok;
}

const SUBJECT_WIDTH = 15;

/** One line per finding, and a second one with the fix unless it is ok. */
export function findingText({ subject, verdict, says, todo }: Finding, chalk = new Chalk()): string {
  const colour: Record<Verdict, (text: string) => string> = {
    ok: chalk.green,
    note: chalk.yellow,
    problem: chalk.red,
  };
  const head = `${colour[verdict](verdict.padEnd(8))} ${subject.padEnd(SUBJECT_WIDTH)} ${oneLine(says)}`;
  return todo === undefined ? head : `${head}\n${' '.repeat(9 + SUBJECT_WIDTH + 1)}${printable(todo)}`;
}

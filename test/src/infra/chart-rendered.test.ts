import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { scratchDir } from '../setup/provided.js';
import { ROOT } from '../setup/tocsin.js';
import { output, run } from './docker.js';

const CHART = join(ROOT, 'infra', 'helm', 'tocsin');
/** A helm that was built with `go install` takes an older Kubernetes for its own than the chart allows. */
const TEMPLATE = [
  'helm',
  'template',
  'messages',
  CHART,
  '--namespace',
  'scoring',
  '--kube-version',
  '1.31.0',
];
/** The values without which the chart refuses to render. */
const GUARD = ['--set', 'guard.ref=owner/name@revision'];
const EVERYTHING = [
  ...[...GUARD, '--set', 'guard.backbone=owner/backbone', '--set', 'guard.precision=float16'],
  ...['--set', 'gpu.enabled=true', '--set', 'gpu.runtimeClassName=nvidia', '--set', 'keda.enabled=true'],
  ...['--set', 'keda.fingerprint=abc123', '--set', 'metrics.serviceMonitor.enabled=true'],
  ...[
    '--set',
    'metrics.rules.enabled=true',
    '--set',
    'nightly.enabled=true',
    '--set',
    'nightly.corpus={/corpus/*.gz}',
  ],
  ...['--set', 'nightly.corpusClaim=corpus', '--set', 'cache.existingClaim=models'],
  ...['--set', 'dashboard.ingress.enabled=true', '--set', 'dashboard.ingress.host=tocsin.example'],
  ...['--set', 'dashboard.ingress.tlsSecretName=tls', '--set', 'dashboard.ingress.className=nginx'],
  ...['--set', 'dashboard.trustProxy=10.0.0.0/8', '--set', 'imagePullSecrets[0].name=registry'],
  ...[
    '--set',
    'worker.priorityClassName=low',
    '--set',
    'extraEnv[0].name=HF_HUB_OFFLINE',
    '--set-string',
    'extraEnv[0].value=1',
  ],
];

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec?: unknown;
}
interface Workload extends Manifest {
  spec: {
    strategy?: unknown;
    activeDeadlineSeconds?: number;
    template: {
      spec: { containers: { image: string; args: string[]; resources?: object; lifecycle?: object }[] };
    };
  };
}

const missing = await run(['helm', 'version']).then(
  () => undefined,
  () => 'helm is not installed',
);

const render = async (values: readonly string[]): Promise<Manifest[]> =>
  parseAllDocuments(await output([...TEMPLATE, ...values]))
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);

const find = (manifests: readonly Manifest[], kind: string, suffix: string): Workload => {
  const found = manifests.find(({ kind: its, metadata }) => its === kind && metadata.name.endsWith(suffix));
  if (found === undefined) throw new Error(`no ${kind} *${suffix}`);
  return found as Workload;
};
const containerOf = (manifests: readonly Manifest[], kind: string, suffix: string) => {
  const [container] = find(manifests, kind, suffix).spec.template.spec.containers;
  if (container === undefined) throw new Error(`${kind} *${suffix} has no container`);
  return container;
};

describe.skipIf(missing !== undefined)(
  `the chart, rendered${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let plain: Manifest[];
    let everything: Manifest[];
    beforeAll(async () => {
      plain = await render(GUARD);
      everything = await render(EVERYTHING);
    });

    test('helm lint finds nothing', async () => {
      for (const values of [GUARD, EVERYTHING]) await output(['helm', 'lint', '--strict', CHART, ...values]);
    });

    // The compiler refuses fields that a type does not have in an object literal, as a strict decoder does.
    test('every object has only the fields of its Kubernetes type, with values of their types', async () => {
      const dir = scratchDir();
      mkdirSync(join(dir, 'node_modules'));
      symlinkSync(
        join(ROOT, 'node_modules', 'kubernetes-types'),
        join(dir, 'node_modules', 'kubernetes-types'),
      );
      const kubernetes = [...plain, ...everything].filter(
        ({ apiVersion }) => !/keda|monitoring\.coreos/.test(apiVersion),
      );
      const kinds = new Map(kubernetes.map(({ kind, apiVersion }) => [kind, moduleOf(apiVersion)]));
      writeFileSync(
        join(dir, 'rendered.ts'),
        [
          ...[...kinds].map(([kind, module]) => `import type { ${kind} } from 'kubernetes-types/${module}';`),
          ...kubernetes.map(
            (manifest, at) =>
              `export const _${at}: ${manifest.kind} = ${JSON.stringify(manifest, undefined, 1)};`,
          ),
        ].join('\n'),
      );
      const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
      const options = [
        '--ignoreConfig',
        '--noEmit',
        '--strict',
        '--module',
        'preserve',
        '--target',
        'es2023',
        '--types',
        '',
      ];
      const { exitCode, stdout } = await run([tsc, ...options, join(dir, 'rendered.ts')]);
      expect(stdout).toBe('');
      expect(exitCode).toBe(0);
      expect([...kinds.keys()].sort()).toEqual([
        ...['CronJob', 'Deployment', 'Ingress', 'Job', 'NetworkPolicy'],
        ...['PodDisruptionBudget', 'Service', 'ServiceAccount'],
      ]);
    });

    test('with everything on, KEDA and Prometheus have their objects', () => {
      const kinds = everything.map(({ kind }) => kind);
      expect(kinds).toEqual(
        expect.arrayContaining(['ScaledObject', 'TriggerAuthentication', 'ServiceMonitor', 'PrometheusRule']),
      );
    });

    test('only the workers have the CUDA image, and they are replaced without a second GPU', () => {
      expect(containerOf(everything, 'Deployment', '-worker').image).toBe('tocsin:0.1.0-cuda');
      for (const [kind, suffix] of [
        ...[
          ['Deployment', '-dashboard'],
          ['Deployment', '-scheduler'],
          ['Job', '-migrate'],
        ],
      ] as [string, string][])
        expect(containerOf(everything, kind, suffix).image).toBe('tocsin:0.1.0');
      expect(containerOf(plain, 'Deployment', '-worker').image).toBe('tocsin:0.1.0');
      expect(find(everything, 'Deployment', '-worker').spec.strategy).toMatchObject({
        rollingUpdate: { maxSurge: 0 },
      });
      expect(find(plain, 'Deployment', '-worker').spec.strategy).toBeUndefined();
    });

    test.each([
      [[], '2'],
      [['--set', 'worker.resources.limits.cpu=3500m'], '4'],
      [['--set', 'worker.resources.limits.cpu=6'], '6'],
      [['--set', 'worker.resources.limits.cpu=0.5'], '1'],
      [['--set', 'worker.threads=8', '--set', 'worker.resources.limits.cpu=6'], '8'],
    ])('with %j a worker has %s threads', async (values, threads) => {
      const { args } = containerOf(await render([...GUARD, ...values]), 'Deployment', '-worker');
      expect(args[args.indexOf('--threads') + 1]).toBe(threads);
    });

    test('an ingress needs the addresses of its controller', async () => {
      const { exitCode, stderr } = await run([
        ...[...TEMPLATE, ...GUARD],
        ...['--set', 'dashboard.ingress.enabled=true', '--set', 'dashboard.ingress.host=tocsin.example'],
      ]);
      expect(exitCode).not.toBe(0);
      expect(stderr).toContain('dashboard.trustProxy is missing');
    });

    test('unknown values and a missing guard are refused', async () => {
      for (const values of [[], [...GUARD, '--set', 'worker.thread=2']])
        expect((await run([...TEMPLATE, ...values])).exitCode).not.toBe(0);
    });

    test('the migrate Job has a deadline and resources, and the dashboard leaves its Service before it stops', () => {
      expect(find(plain, 'Job', '-migrate').spec.activeDeadlineSeconds).toBeGreaterThan(0);
      expect(containerOf(plain, 'Job', '-migrate').resources).toBeDefined();
      expect(containerOf(plain, 'Deployment', '-dashboard')).toMatchObject({
        startupProbe: { httpGet: { path: '/healthz' } },
        lifecycle: { preStop: expect.anything() },
      });
    });
  },
);

/** `networking.k8s.io/v1` -> `networking/v1`, `v1` -> `core/v1`. */
function moduleOf(apiVersion: string): string {
  const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  return `${group.replace('.k8s.io', '')}/${version}`;
}

import { METRICS, seriesOf } from '@tocsin/telemetry';
import { expect, test } from 'vitest';
import { filesBelow, metricNames, read, readYaml, yamlErrors } from './infra-files.js';

const SERIES = new Set(Object.values(METRICS).flatMap(seriesOf));

interface Dashboard {
  panels: {
    id: number;
    title: string;
    datasource: { uid: string };
    gridPos: { x: number; y: number };
    targets: { expr: string }[];
  }[];
}
interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
}

const dashboard = JSON.parse(read('infra/grafana/dashboards/tocsin.json')) as Dashboard;
const alerts = readYaml<Rules>('infra/prometheus/alerts.yml').groups.flatMap(({ rules }) => rules);

test('every YAML file outside the templates parses', () => {
  const files = ['docker-compose.yml', ...filesBelow('infra', /\.ya?ml$/)].filter(
    (path) => !path.includes('/templates/'),
  );
  expect(files.length).toBeGreaterThan(5);
  expect(files.flatMap(yamlErrors)).toEqual([]);
});

test.each(dashboard.panels)('the panel $title asks for metrics that there are', ({ targets, datasource }) => {
  expect(targets.length).toBeGreaterThan(0);
  const [provisioned] = readYaml<{ datasources: { uid: string }[] }>(
    'infra/grafana/provisioning/datasources/prometheus.yml',
  ).datasources;
  expect(datasource.uid).toBe(provisioned?.uid);
  for (const { expr } of targets) for (const name of metricNames(expr)) expect(SERIES).toContain(name);
});

test('panels stand side by side, each with an id of its own', () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x},${y}`)).size).toBe(panels.length);
});

test('every metric of ours is on the dashboard', () => {
  const shown = new Set(
    dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricNames(expr))),
  );
  const missing = Object.values(METRICS).filter(
    (metric) => !seriesOf(metric).some((name) => shown.has(name)),
  );
  expect(missing.map(({ name }) => name)).toEqual([]);
});

test.each(alerts)(
  'the alert $alert asks for metrics that there are, and says what to do',
  ({ expr, annotations }) => {
    expect(metricNames(expr).length).toBeGreaterThan(0);
    for (const name of metricNames(expr)) expect(SERIES).toContain(name);
    expect(annotations.summary).toMatch(/\S/);
    expect(annotations.description).toMatch(/\S/);
  },
);

test('the chart has the same alerts', () => {
  expect(read('infra/helm/tocsin/alerts.yml')).toBe(read('infra/prometheus/alerts.yml'));
});

/** Read by other programs: the image's own, Grafana, PostgreSQL, the CUDA runtime and npm. */
const FOREIGN = /^(POSTGRES_|GF_|NVIDIA_|GRAFANA_PASSWORD$|NODE_ENV$|HOME$)/;
/** Settings of the compose file itself, which no container gets. */
const COMPOSE_ONLY = ['TOCSIN_GUARD', 'TOCSIN_IMAGE', 'TOCSIN_CUDA_IMAGE', 'POSTGRES_PORT'];

test('every variable that a container is given is one that the code reads', () => {
  const code = ['apps', 'packages']
    .flatMap((dir) => filesBelow(dir, /\.ts$/))
    .filter((path) => !path.endsWith('.test.ts'))
    .map(read)
    .join('\n');
  const given = ['docker-compose.yml', ...filesBelow('infra', /^Dockerfile$|\.(ya?ml|tpl)$/)].flatMap(
    (path) =>
      [...read(path).matchAll(/\b((?:TOCSIN|HF|OTEL|POSTGRES|GF|NVIDIA|DATABASE|REDIS)_[A-Z_]+)\b/g)].map(
        ([, name = '']) => name,
      ),
  );
  const unknown = [...new Set(given)].filter(
    (name) => !FOREIGN.test(name) && !COMPOSE_ONLY.includes(name) && !new RegExp(`\\b${name}\\b`).test(code),
  );
  expect(unknown).toEqual([]);
  // Compose substitutes these itself.
  for (const name of COMPOSE_ONLY)
    expect(read('docker-compose.yml')).toMatch(new RegExp(`(command|image|ports): .*\\$\\{${name}:-`));
});

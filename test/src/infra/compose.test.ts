import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../setup/tocsin.js';
import { defaultImage, read, readYaml } from './infra-files.js';

interface Service {
  image: string;
  command?: string[];
  build?: { context: string; dockerfile: string };
  ports?: string[];
  volumes?: string[];
  profiles?: string[];
  depends_on?: string[] | Record<string, unknown>;
  healthcheck?: object;
  environment?: Record<string, string>;
  read_only?: boolean;
  user?: string;
}

const compose = readYaml<{ services: Record<string, Service>; volumes: Record<string, unknown> }>(
  'docker-compose.yml',
);
const services = Object.entries(compose.services);

test.each(services)('%s has a pinned image', (_, { image }) => {
  expect(defaultImage(image)).toMatch(/^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
});

test.each(services)(
  'what %s mounts is there: a declared volume, or a file of ours',
  (_, { volumes = [] }) => {
    for (const volume of volumes) {
      const [source = '', target = ''] = volume.split(':');
      expect(target).toMatch(/^\//);
      if (source.startsWith('.')) expect(existsSync(join(ROOT, source)), source).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
  },
);

test('every declared volume is mounted', () => {
  const mounted = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]));
  for (const name of Object.keys(compose.volumes)) expect(mounted).toContain(name);
});

test('ports are on the loopback only, and no two are the same', () => {
  const ports = services.flatMap(([, service]) => service.ports ?? []);
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\$\{\w+_PORT:-\d+\}:\d+$/);
  expect(new Set(ports).size).toBe(ports.length);
});

test.each(services)('what %s depends on runs whenever it does', (_, service) => {
  const names = Array.isArray(service.depends_on)
    ? service.depends_on
    : Object.keys(service.depends_on ?? {});
  for (const name of names) {
    const other = compose.services[name];
    expect(other, name).toBeDefined();
    const profiles = other?.profiles ?? service.profiles ?? [];
    expect(profiles).toEqual(expect.arrayContaining(service.profiles ?? []));
  }
});

test('our own containers run as nobody in particular, on a root that cannot be written', () => {
  const own = services.filter(([, { image }]) => defaultImage(image).startsWith('tocsin:'));
  expect(own.map(([name]) => name)).toEqual(['migrate', 'worker', 'worker-gpu', 'scheduler', 'dashboard']);
  for (const [, service] of own) {
    expect(service).toMatchObject({ read_only: true, user: '10001:10001' });
    expect(existsSync(join(ROOT, service.build?.dockerfile ?? ''))).toBe(true);
  }
});

test('every service says how it is: by its own health check, or by that of our image', () => {
  const without = services.filter(
    ([, { image, healthcheck }]) => healthcheck === undefined && !defaultImage(image).startsWith('tocsin:'),
  );
  expect(without.map(([name]) => name)).toEqual([]);
});

test('no password has a default, and .env.example names each setting with its default', () => {
  const text = read('docker-compose.yml');
  const used = [...text.matchAll(/\$\{(\w+)(:[-?])([^}]*)\}/g)].map(([, name = '', kind, rest]) => ({
    name,
    required: kind === ':?',
    fallback: rest,
  }));
  for (const { name, required } of used) expect(required, name).toBe(name.endsWith('_PASSWORD'));
  const settings = new Map(
    [...read('.env.example').matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
  expect([...settings.keys()].sort()).toEqual([...new Set(used.map(({ name }) => name))].sort());
  for (const { name, required, fallback } of used)
    if (name !== 'TOCSIN_GUARD') expect(settings.get(name)).toBe(required ? '' : fallback);
});

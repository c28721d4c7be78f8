import { expect, test } from 'vitest';
import { filesBelow, read, readYaml } from './infra-files.js';

const CHART = 'infra/helm/tocsin';

type Values = { [key: string]: unknown };
interface Schema {
  type?: string;
  enum?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean;
}

const values = readYaml<Values>(`${CHART}/values.yaml`);
const schema = JSON.parse(read(`${CHART}/values.schema.json`)) as Schema;

const isMap = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The path `a.b.c` of each value, down to where the schema allows anything. */
function paths(value: Values, by: Schema, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = `${prefix}${key}`;
    const of = by.properties?.[key];
    return isMap(inner) && of?.properties !== undefined ? [path, ...paths(inner, of, `${path}.`)] : [path];
  });
}

function schemaPaths({ properties = {} }: Schema, prefix = ''): string[] {
  return Object.entries(properties).flatMap(([key, inner]) => [
    `${prefix}${key}`,
    ...schemaPaths(inner, `${prefix}${key}.`),
  ]);
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return 'integer';
  return typeof value;
}

test('the schema has the keys of values.yaml, no more and no less', () => {
  const described = schemaPaths(schema).filter((path) => path !== 'global');
  expect(described.sort()).toEqual(paths(values, schema).sort());
});

test('the values are of the types that the schema says', () => {
  const check = (value: Values, by: Schema): void => {
    for (const [key, inner] of Object.entries(value)) {
      const of = by.properties?.[key];
      expect(of?.type, key).toBe(typeOf(inner));
      if (of?.enum !== undefined) expect(of.enum).toContain(inner);
      if (isMap(inner) && of?.properties !== undefined) check(inner, of);
    }
  };
  check(values, schema);
  expect(schema.additionalProperties).toBe(false);
});

test('templates use values that there are, and every value is used', () => {
  const templates = filesBelow(`${CHART}/templates`, /./).map(read).join('\n');
  const used = [...templates.matchAll(/\.Values\.([A-Za-z.]+)/g)].map(([, path = '']) => path);
  const known = paths(values, schema);
  for (const path of used) expect(known).toContain(path);
  const leaves = known.filter((path) => !known.some((other) => other.startsWith(`${path}.`)));
  expect(leaves.filter((path) => !used.includes(path))).toEqual([]);
});

test.each(filesBelow(`${CHART}/templates`, /\.(yaml|tpl|txt)$/i))('%s closes what it opens', (path) => {
  const text = read(path);
  const opened = text.match(/\{\{-?\s*(if|with|range|define)\b/g) ?? [];
  const closed = text.match(/\{\{-?\s*end\s*-?\}\}/g) ?? [];
  expect(closed.length).toBe(opened.length);
});

test('the image is the version of the packages', () => {
  const { appVersion } = readYaml<{ appVersion: string }>(`${CHART}/Chart.yaml`);
  expect(appVersion).toBe((JSON.parse(read('package.json')) as { version: string }).version);
});

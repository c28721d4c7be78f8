import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../setup/tocsin.js';

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export const readYaml = <T>(path: string): T => parse(read(path), { merge: true }) as T;

/** An image as Compose uses it unless a variable names another: `${NAME:-image}` -> `image`. */
export const defaultImage = (image: string): string => image.replace(/^\$\{\w+:-(.*)\}$/, '$1');

/** Files below a directory of the checkout, by relative path. */
export function filesBelow(dir: string, pattern: RegExp): string[] {
  return readdirSync(join(ROOT, dir), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .filter((path) => !/(node_modules|dist)\//.test(path));
}

/** The syntax error of a YAML file, if any. */
export function yamlErrors(path: string): string[] {
  return parseAllDocuments(read(path), { merge: true }).flatMap(({ errors }) =>
    errors.map(({ message }) => `${path}: ${message}`),
  );
}

/** Our metrics in a Prometheus expression. */
export const metricNames = (expression: string): string[] => expression.match(/\btocsin_[a-z_]+/g) ?? [];

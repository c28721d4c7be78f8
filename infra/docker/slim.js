#!/usr/bin/env node
// Deletes from an installed, built and pruned checkout what the image does not run, and prints what that saves:
//
//   node infra/docker/slim.js <directory>
import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: node infra/docker/slim.js <directory>');
const ROOT = resolve(directory);
const MODULES = join(ROOT, 'node_modules');
const { platform, arch } = process;

drop('what the workspaces do not publish (sources, tests, maps)', unpublished());
// Node runs no TypeScript in node_modules.
drop(
  'source maps, TypeScript and tests of dependencies',
  matching(MODULES, /\.(map|[cm]?ts)$|\.test\.[cm]?js$/),
);
drop(`onnxruntime for platforms other than ${platform}-${arch}`, otherRuntimes());
drop(`tokenizers for platforms other than ${platform}-${arch}`, otherTokenizers());

/** Files of the workspaces that `npm pack` would leave out. */
function unpublished() {
  const packed = execFileSync('npm', ['pack', '--workspaces', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const published = new Map(
    Object.values(JSON.parse(packed)).map(({ name, files }) => [name, files.map(({ path }) => path)]),
  );
  return ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(ROOT, parent)).flatMap((folder) => {
      const workspace = join(ROOT, parent, folder);
      const { name } = JSON.parse(readFileSync(join(workspace, 'package.json'), 'utf8'));
      const keep = new Set(published.get(name)?.map((path) => join(workspace, path)));
      if (keep.size === 0) throw new Error(`npm pack lists no file of ${name}`);
      return matching(workspace, /./).filter((file) => !keep.has(file) && !file.includes('/node_modules/'));
    }),
  );
}

function otherRuntimes() {
  const binaries = join(MODULES, 'onnxruntime-node', 'bin', 'napi-v6');
  const here = join(binaries, platform, arch, '/');
  return exceptOne(matching(binaries, /./), (file) => file.startsWith(here));
}

/** The base image has glibc. */
function otherTokenizers() {
  const here = `tokenizers.${platform}-${arch}-gnu.node`;
  return exceptOne(matching(join(MODULES, 'tokenizers'), /\.node$/), (file) => file.endsWith(here));
}

/** All files but those that are needed here, which must be among them. */
function exceptOne(files, isNeeded) {
  if (!files.some(isNeeded)) throw new Error(`no library for ${platform}-${arch} among ${files.join(', ')}`);
  return files.filter((file) => !isNeeded(file));
}

/** Files below a directory by their names; links are not followed. */
function matching(below, name) {
  return readdirSync(below, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

function drop(reason, files) {
  let bytes = 0;
  for (const file of files) {
    bytes += lstatSync(file).size;
    rmSync(file);
  }
  console.log(`${(bytes / 1e6).toFixed(1)} MB: ${reason}`);
}

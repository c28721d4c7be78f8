#!/usr/bin/env node
// Makes the two npm packages out of the built workspaces:
//
//   tocsin           the command line, with everything that it needs
//   @tocsin/engine   the library
//
//   npm run build && node infra/npm/pack.js [directory]      (default: out/npm)
//
// Each package carries the workspaces that it needs in lib/node_modules, so that one version is one tarball. (Not as
// bundled dependencies: npm 11 loses other packages when it installs those globally.) All other dependencies stay
// ordinary ones, with the exact versions of this workspace. The one exception is onnxruntime-node: its install script
// downloads CUDA libraries and fails where it cannot, so it is carried along without its scripts, and without the
// binaries for Windows.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RUNTIME = 'onnxruntime-node';
const RUNTIME_PLATFORMS = ['linux', 'darwin'];

const MIT_OF_MICROSOFT = `MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

const PUBLISHED = [
  { workspace: 'tocsin', extra: { 'samples/corpus.jsonl': 'samples/corpus.jsonl' } },
  { workspace: '@tocsin/engine', extra: {} },
];

const workspaces = readWorkspaces();
const target = resolve(process.argv[2] ?? join(ROOT, 'out', 'npm'));
rmSync(target, { recursive: true, force: true });
for (const { workspace, extra } of PUBLISHED) {
  const stage = join(target, 'stage', workspace.replace('@tocsin/', 'tocsin-'));
  stagePackage(workspace, stage, extra);
  const [{ filename, size, unpackedSize, entryCount }] = JSON.parse(
    npm(['pack', '--json', '--ignore-scripts', '--pack-destination', target], stage),
  );
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  console.log(`${join(target, filename)}: ${entryCount} files, ${mb(size)}, unpacked ${mb(unpackedSize)}`);
}
rmSync(join(target, 'stage'), { recursive: true });

/** Name -> { directory, manifest } of every workspace that is built into a package. */
function readWorkspaces() {
  const found = new Map();
  for (const parent of ['packages', 'apps']) {
    for (const name of readdirSync(join(ROOT, parent))) {
      const directory = join(ROOT, parent, name);
      if (!existsSync(join(directory, 'package.json'))) continue;
      const manifest = readJson(join(directory, 'package.json'));
      found.set(manifest.name, { directory, manifest });
    }
  }
  return found;
}

function stagePackage(name, stage, extra) {
  const { manifest } = workspaces.get(name);
  const inside = closure(name).filter((each) => each !== name);
  const lib = join(stage, 'lib');
  copyPackage(name, lib);
  for (const each of inside) copyPackage(each, join(lib, 'node_modules', each));
  for (const [from, to] of Object.entries(extra)) copy(join(ROOT, from), join(lib, to));
  copy(join(ROOT, 'LICENSE'), join(stage, 'LICENSE'));
  renameSync(join(lib, 'README.md'), join(stage, 'README.md'));
  // The exports are those of the outer manifest: a library that imports itself by name finds them there. A command reads
  // its version beside its dist.
  if (manifest.bin === undefined) rmSync(join(lib, 'package.json'));
  else writeJson(join(lib, 'package.json'), { name, version: manifest.version, type: manifest.type });
  const outside = thirdParty([name, ...inside]);
  if (outside[RUNTIME] !== undefined) {
    const runtime = copyRuntime(join(lib, 'node_modules', RUNTIME));
    outside['onnxruntime-common'] = runtime.dependencies['onnxruntime-common'];
    delete outside[RUNTIME];
  }
  const { private: _, devDependencies: __, scripts: ___, bin, exports, ...rest } = manifest;
  writeJson(join(stage, 'package.json'), {
    ...rest,
    ...(bin && { bin: below(bin) }),
    ...(exports && { exports: below(withoutMissing(exports, lib)) }),
    os: RUNTIME_PLATFORMS,
    files: ['lib', 'LICENSE'],
    dependencies: sorted(outside),
  });
}

/** `./dist/...` -> `./lib/dist/...`, at any depth. */
function below(entry) {
  if (typeof entry === 'string') return entry.replace(/^\.\//, './lib/');
  return Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, below(value)]));
}

/** What a workspace would publish, which its `files` say, without what only this repository needs. */
function copyPackage(name, to) {
  const { directory, manifest } = workspaces.get(name);
  const [{ files }] = JSON.parse(npm(['pack', '--dry-run', '--json', '--ignore-scripts'], directory));
  for (const { path } of files) copy(join(directory, path), join(to, path));
  const { private: _, devDependencies: __, scripts: ___, files: ____, ...rest } = manifest;
  writeJson(join(to, 'package.json'), { ...rest, exports: withoutMissing(rest.exports, to) });
}

function copyRuntime(to) {
  const from = dirname(fileURLToPath(import.meta.resolve(`${RUNTIME}/package.json`)));
  const { scripts: _, devDependencies: __, ...manifest } = readJson(join(from, 'package.json'));
  cpSync(from, to, {
    recursive: true,
    filter: (path) =>
      !/\/(script|node_modules|lib)$/.test(path) && !path.endsWith('.map') && !/\/win32$/.test(path),
  });
  // What only the install script used goes with it.
  const dependencies = { 'onnxruntime-common': manifest.dependencies['onnxruntime-common'] };
  writeJson(join(to, 'package.json'), { ...manifest, dependencies });
  // Its licence asks for this notice, which the package itself leaves out.
  writeFileSync(join(to, 'LICENSE'), MIT_OF_MICROSOFT);
  return { dependencies };
}

/** A workspace and all that it depends on, directly or not. */
function closure(name, found = new Set()) {
  if (found.has(name)) return [...found];
  found.add(name);
  for (const each of Object.keys(workspaces.get(name).manifest.dependencies ?? {}))
    if (workspaces.has(each)) closure(each, found);
  return [...found];
}

function thirdParty(names) {
  const found = {};
  for (const name of names) {
    for (const [each, version] of Object.entries(workspaces.get(name).manifest.dependencies ?? {})) {
      if (workspaces.has(each)) continue;
      if ((found[each] ?? version) !== version)
        throw new Error(`two versions of ${each}: ${found[each]}, ${version}`);
      found[each] = version;
    }
  }
  return found;
}

/** Entries for tests lead to files that are not packed. */
function withoutMissing(exports, directory) {
  if (exports === undefined) return undefined;
  const file = (entry) => (typeof entry === 'string' ? entry : entry.default);
  return Object.fromEntries(
    Object.entries(exports).filter(([, entry]) => existsSync(join(directory, file(entry)))),
  );
}

function npm(args, cwd) {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
function writeJson(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
}
function sorted(record) {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

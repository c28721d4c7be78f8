import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openGuard } from '@tocsin/engine';
import { BACKBONE_REPO, GUARD_REPO, goldenRepos, HubServer } from '@tocsin/models/testing';
import { goldenDirs } from '@tocsin/siren/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { type Ended, tocsin } from '../setup/tocsin.js';

let dir: string;
let hub: HubServer;
let env: Record<string, string>;
beforeAll(async () => {
  dir = scratchDir();
  hub = await HubServer.start(goldenRepos('qwen3-residual'));
  env = { HF_HOME: join(dir, 'hf'), HF_ENDPOINT: hub.endpoint, TOCSIN_CACHE: join(dir, 'cache') };
});
afterAll(() => hub.close());

const guards = (...args: string[]): Promise<Ended> => tocsin(['guards', ...args], { env });
const repoDir = (repo: string): string => join(dir, 'hf', 'hub', `models--${repo.replace('/', '--')}`);

test('list names the released guards, gated ones as such, before anything is in the caches', async () => {
  const { exitCode, stdout } = await guards('list');
  expect(exitCode).toBe(0);
  const text = String(stdout);
  for (const name of ['starter', 'UofTCSSLab/SIREN-Qwen3-0.6B', 'difanjiao/Agent-SIREN-Qwen3-4B']) {
    expect(text).toContain(name);
  }
  expect(text).toContain('meta-llama/Llama-3.1-8B (gated)');
  expect(hub.requests).toEqual([]);
});

test('show tells the facts of a guard on the hub without its backbone', async () => {
  const { stdout, stderr } = await guards('show', GUARD_REPO, '--json');
  const facts = JSON.parse(String(stdout));
  expect(facts).toMatchObject({
    guard: `${GUARD_REPO}@${hub.commit(GUARD_REPO)}`,
    task: 'content',
    backbone: { modelId: BACKBONE_REPO, revision: hub.commit(BACKBONE_REPO), cachedBytes: 0 },
    threshold: expect.any(Number),
  });
  expect(facts.head.at(-1)).toBe(2);
  expect(stderr).toContain('Fetching lab/SIREN-tiny');
  expect(existsSync(repoDir(BACKBONE_REPO))).toBe(false);
});

test('show tells those of the starter and of a directory too', async () => {
  const starter = String((await guards('show', 'starter')).stdout);
  expect(starter).toMatch(/guard +starter\ntask +content\n/);
  expect(starter).toMatch(/backbone +HuggingFaceTB\/SmolLM2-135M-Instruct \(at main/);
  expect(starter).toMatch(/layers read +20 of 30: 0, 1, /);
  const own = String((await guards('show', goldenDirs('llama-residual').artifact)).stdout);
  expect(own).toContain(goldenDirs('llama-residual').artifact);
});

test('list tells what is in the caches, and remove takes it out after it is told to', async () => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const { compiled, fingerprint } = await openGuard(GUARD_REPO);
  vi.unstubAllEnvs();
  const name = `${GUARD_REPO}@${hub.commit(GUARD_REPO)}`;
  const list = JSON.parse(String((await guards('list', '--json')).stdout));
  expect(list.other).toEqual([
    { ref: GUARD_REPO, commits: [hub.commit(GUARD_REPO)], cachedBytes: expect.any(Number) },
  ]);
  expect(list.compiled).toMatchObject([{ guard: name, fingerprint, current: true }]);
  // Its weights are a hard link to the backbone's file.
  expect(list.compiled[0].freedBytes).toBeLessThan(list.compiled[0].bytes);

  const asked = await guards('remove', GUARD_REPO, '--backbone', '--compiled');
  expect(asked.exitCode).toBe(1);
  expect(asked.stderr).toContain('Use --yes');
  expect(existsSync(repoDir(GUARD_REPO))).toBe(true);

  const removed = await guards('remove', GUARD_REPO, '--backbone', '--compiled', '--yes');
  expect(removed.exitCode).toBe(0);
  const told = String(removed.stdout);
  for (const what of [
    `the artifact ${GUARD_REPO}`,
    `the backbone ${BACKBONE_REPO}`,
    `the compiled guard ${name}`,
  ]) {
    expect(told).toContain(what);
  }
  expect(told).toMatch(/Removed; [\d.]+ kB are free again\.\n$/);
  for (const path of [repoDir(GUARD_REPO), repoDir(BACKBONE_REPO), compiled.dir]) {
    expect(existsSync(path)).toBe(false);
  }
});

test('what an older version compiled is listed as such, and removed', async () => {
  const old = join(dir, 'cache', 'compiled', `${'0'.repeat(64)}-1`);
  await mkdir(old, { recursive: true });
  await writeFile(join(old, 'guard.json'), '{"files":[]}');
  expect(String((await guards('list')).stdout)).toContain('of an older version');
  const { stdout } = await guards('remove', '--unused', '--yes');
  expect(String(stdout)).toContain('compiled by an older version');
  expect(existsSync(old)).toBe(false);
  expect((await guards('remove', '--unused', '--yes')).stderr).toContain('is of this version');
});

test.each([
  ['nothing and everything', [], /either a guard or --unused/],
  ['what is not there', ['lab/other'], /the caches contain nothing of the guard lab\/other/],
  ['a revision', [`${GUARD_REPO}@v1`], /removed with all its revisions/],
  ['a directory of the person', [goldenDirs('qwen3-mlp').artifact], /nothing of the guard/],
])('remove refuses %s', async (_what, args, message) => {
  const { exitCode, stderr } = await guards('remove', ...args, '--yes');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(message);
});

test('a failure to pull is told with the next step', async () => {
  const { exitCode, stderr } = await guards('pull', 'lab/unknown');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^tocsin: cannot fetch lab\/unknown@main: .*\nCheck the name\./);
});

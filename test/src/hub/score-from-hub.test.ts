import { join } from 'node:path';
import { Guard } from '@tocsin/engine';
import { BACKBONE_REPO, GUARD_REPO, goldenRepos, HubServer } from '@tocsin/models/testing';
import { goldenCases } from '@tocsin/siren/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { readScores, tocsin, writeJsonl } from '../setup/tocsin.js';

/** Invariant 6: float32 tolerance against the reference runtime. */
const TOLERANCE = 1e-4;

let dir: string;
let hub: HubServer;
let env: Record<string, string>;
beforeAll(async () => {
  dir = scratchDir();
  hub = await HubServer.start(goldenRepos('llama31-ropescaled'));
  env = { HF_HOME: join(dir, 'hf'), HF_ENDPOINT: hub.endpoint, TOCSIN_CACHE: join(dir, 'cache') };
});
afterAll(() => hub.close());

test('a guard by its name on the hub scores as the reference does', async () => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const guard = await Guard.fromPretrained(GUARD_REPO);
  try {
    for (const { input, score } of goldenCases('llama31-ropescaled').slice(0, 3)) {
      expect(Math.abs((await guard.score(input)).score - score)).toBeLessThanOrEqual(TOLERANCE);
    }
  } finally {
    await guard.close();
    vi.unstubAllEnvs();
  }
});

test('the score command takes one too, and without a network what was pulled before', async () => {
  const own = { ...env, HF_HOME: join(dir, 'own') };
  const pulled = await tocsin(['guards', 'pull', GUARD_REPO], { env: own });
  expect(pulled).toMatchObject({ exitCode: 0 });
  const commit = hub.commit(GUARD_REPO);
  expect(String(pulled.stdout)).toContain(`${GUARD_REPO}@${commit} (content)`);
  expect(String(pulled.stdout)).toContain(`${BACKBONE_REPO}@${hub.commit(BACKBONE_REPO)}`);
  expect(pulled.stderr).toMatch(/^Fetching lab\/SIREN-tiny: 2 files, [\d.]+ kB\nFetching vendor\/tiny: /);

  const [first] = goldenCases('llama31-ropescaled');
  const corpus = await writeJsonl(join(dir, 'one.jsonl'), [{ ...first?.input }]);
  const out = join(dir, 'scores.jsonl');
  const requests = hub.requests.length;
  const args = ['score', corpus, '--guard', GUARD_REPO, '-o', out, '--data-dir', join(dir, 'postgres')];
  const ended = await tocsin(args, { env: { ...own, HF_HUB_OFFLINE: '1' } });
  expect(ended).toMatchObject({ exitCode: 0 });
  expect(Math.abs(((await readScores(out))[0]?.score ?? 0) - (first?.score ?? 1))).toBeLessThanOrEqual(
    TOLERANCE,
  );
  expect(hub.requests).toHaveLength(requests);
});

test('the worker takes the commit that the run began with, and asks the hub for nothing', async () => {
  const [, second] = goldenCases('llama31-ropescaled');
  const corpus = await writeJsonl(join(dir, 'two.jsonl'), [{ ...second?.input }]);
  const before = hub.requests.length;
  const args = ['score', corpus, '--guard', GUARD_REPO, '-o', join(dir, 'two-scores.jsonl')];
  expect(await tocsin([...args, '--data-dir', join(dir, 'postgres')], { env })).toMatchObject({
    exitCode: 0,
  });
  const asked = hub.requests.slice(before).map(({ path }) => path);
  expect(asked).toEqual([`/api/models/${GUARD_REPO}/revision/main`]);
});

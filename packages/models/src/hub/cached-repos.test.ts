import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveGuard } from '../resolve/resolve-guard.js';
import { BACKBONE_REPO, GUARD_REPO, goldenRepos, HubServer } from '../testing/index.js';
import { cachedRepo, cachedRepos, pathsOfRepo, repoUsage } from './cached-repos.js';

let home = '';
let hub: HubServer;
let env: Record<string, string>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tocsin-cached-'));
  hub = await HubServer.start(goldenRepos('qwen3-mlp'));
  env = { HF_HOME: home, HF_ENDPOINT: hub.endpoint };
});

afterEach(async () => {
  await hub.close();
  await rm(home, { recursive: true });
});

test('guards and backbones of the cache, with the commits and what stood for them', async () => {
  expect(await cachedRepos(env)).toEqual([]);
  await resolveGuard(`${GUARD_REPO}@v1`, { env });
  await resolveGuard(GUARD_REPO, { env });
  await mkdir(join(home, 'hub', 'datasets--a--b'));
  await mkdir(join(home, 'hub', 'models--a--empty', 'blobs'), { recursive: true });
  await writeFile(join(home, 'hub', 'version.txt'), '1');
  const [commit, backbone] = [hub.commit(GUARD_REPO), hub.commit(BACKBONE_REPO)];
  const dir = (repo: string): string => join(home, 'hub', `models--${repo.replace('/', '--')}`);
  const guardInfo = {
    repo: GUARD_REPO,
    dir: dir(GUARD_REPO),
    commits: [
      {
        commit,
        dir: join(dir(GUARD_REPO), 'snapshots', commit),
        revisions: ['main', 'v1'],
        isGuard: true,
      },
    ],
  };
  const backboneDir = join(dir(BACKBONE_REPO), 'snapshots', backbone);
  expect(await cachedRepos(env)).toEqual([
    guardInfo,
    {
      repo: BACKBONE_REPO,
      dir: dir(BACKBONE_REPO),
      commits: [{ commit: backbone, dir: backboneDir, revisions: [], isGuard: false }],
    },
  ]);
  expect(await cachedRepo(GUARD_REPO, env)).toEqual(guardInfo);
  expect(await cachedRepo('a/empty', env)).toBeUndefined();
});

test('the space of a repository is that of its files, once', async () => {
  await resolveGuard(GUARD_REPO, { env });
  const files = [...(hub.repos.get(GUARD_REPO)?.files.values() ?? [])];
  const size = files.reduce((sum, { length }) => sum + length, 0);
  const { bytes, freed } = await repoUsage(GUARD_REPO, env);
  // The ref contains a commit: 40 bytes.
  expect([bytes, freed]).toEqual([size + 40, size + 40]);
  for (const path of pathsOfRepo(GUARD_REPO, env)) await rm(path, { recursive: true, force: true });
  expect(await repoUsage(GUARD_REPO, env)).toEqual({ bytes: 0, freed: 0 });
});

import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { goldenDirs } from '@tocsin/siren/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveArtifact, resolveGuard } from '../resolve/resolve-guard.js';
import type { ModelEvent, TransferredBytes } from '../resolve/sources.js';
import { BACKBONE_REPO, GUARD_REPO, goldenRepos, HubServer, hashOf } from '../testing/index.js';

let home = '';
let hub: HubServer;
let env: Record<string, string>;
let events: ModelEvent[];
const onEvent = (event: ModelEvent): void => {
  events.push(event);
};

async function start(guard: Parameters<typeof goldenRepos>[0]): Promise<void> {
  hub = await HubServer.start(goldenRepos(guard));
  env = { HF_HOME: home, HF_ENDPOINT: hub.endpoint };
}

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tocsin-hub-'));
  events = [];
  await start('qwen3-residual');
});

afterEach(async () => {
  await hub.close();
  await rm(home, { recursive: true });
});

const repoDir = (repo: string): string => join(home, 'hub', `models--${repo.replace('/', '--')}`);

test('a guard comes from the hub: its artifact, and of the backbone the files that are needed', async () => {
  const guard = await resolveGuard(GUARD_REPO, { env, onEvent });
  const commit = hub.commit(GUARD_REPO);
  expect(guard.name).toBe(`${GUARD_REPO}@${commit}`);
  expect(guard.artifact.pin).toEqual({ repo: GUARD_REPO, revision: 'main', commit });
  const pinned = hub.commit(BACKBONE_REPO);
  expect(guard.backbone).toEqual({
    kind: 'safetensors',
    dir: join(repoDir(BACKBONE_REPO), 'snapshots', pinned),
    pin: { repo: BACKBONE_REPO, revision: pinned, commit: pinned },
  });
  const files = await readdir(join(repoDir(BACKBONE_REPO), 'snapshots', pinned));
  expect(files.sort()).toEqual([
    'config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  const { backbone } = goldenDirs('qwen3-residual');
  for (const file of files) {
    const fetched = await readFile(join(repoDir(BACKBONE_REPO), 'snapshots', pinned, file));
    expect(fetched.equals(await readFile(join(backbone, file))), file).toBe(true);
  }
  expect(hub.count(/README|pytorch/)).toBe(0);
});

test('the cache is laid out as huggingface_hub has it', async () => {
  const { artifact } = await resolveGuard(GUARD_REPO, { env });
  const weights = hub.repos.get(GUARD_REPO)?.files.get('siren.safetensors') ?? new Uint8Array();
  const hash = hashOf('siren.safetensors', weights);
  expect(await readlink(artifact.weights)).toBe(join('..', '..', 'blobs', hash));
  expect(await readFile(join(repoDir(GUARD_REPO), 'refs', 'main'), 'utf8')).toBe(hub.commit(GUARD_REPO));
  const blobs = await readdir(join(repoDir(BACKBONE_REPO), 'blobs'));
  expect(blobs.map((name) => name.length).sort()).toEqual([40, 40, 40, 64]);
  // A pinned commit needs no ref.
  expect(await readdir(repoDir(BACKBONE_REPO))).not.toContain('refs');
  expect(await readdir(join(repoDir(BACKBONE_REPO), '.no_exist', hub.commit(BACKBONE_REPO)))).toEqual([
    'chat_template.jinja',
    'model.safetensors.index.json',
  ]);
});

test('what is there is not asked for: nothing at a commit, and only the commit at a branch', async () => {
  const first = await resolveGuard(GUARD_REPO, { env });
  hub.requests.length = 0;
  const pinned = await resolveGuard(`${GUARD_REPO}@${hub.commit(GUARD_REPO)}`, { env });
  expect(pinned.artifact.config).toBe(first.artifact.config);
  expect(hub.requests).toEqual([]);
  await resolveGuard(GUARD_REPO, { env });
  expect(hub.requests.map(({ path }) => path)).toEqual([`/api/models/${GUARD_REPO}/revision/main`]);
});

test('a tag is a revision too, and a new commit is noticed', async () => {
  const first = await resolveArtifact(`${GUARD_REPO}@v1`, { env });
  expect(first.artifact.pin).toMatchObject({ revision: 'v1', commit: hub.commit(GUARD_REPO) });
  hub.repos.get(GUARD_REPO)?.files.set('siren.safetensors', Buffer.from('another head'));
  const second = await resolveArtifact(`${GUARD_REPO}@v1`, { env });
  expect(second.artifact.pin?.commit).not.toBe(first.artifact.pin?.commit);
  expect(await readFile(second.artifact.weights, 'utf8')).toBe('another head');
  // siren_config.json is the same blob, so it was not fetched again.
  expect(hub.count(/resolve\/.*siren_config\.json/)).toBe(1);
  expect(await realpath(second.artifact.config)).toBe(await realpath(first.artifact.config));
});

test('a checkpoint in shards comes with the shards that its index names', async () => {
  await hub.close();
  await start('llama31-ropescaled');
  const { backbone } = await resolveGuard(GUARD_REPO, { env });
  const files = await readdir(backbone.kind === 'safetensors' ? backbone.dir : '');
  expect(files.sort()).toEqual([
    'config.json',
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
    'model.safetensors.index.json',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  hub.requests.length = 0;
  await resolveGuard(`${GUARD_REPO}@${hub.commit(GUARD_REPO)}`, { env });
  expect(hub.requests).toEqual([]);
});

test('a shard that leads out of the snapshot is not believed', async () => {
  await hub.close();
  await start('llama31-ropescaled');
  const index = Buffer.from(JSON.stringify({ weight_map: { x: '../../x.safetensors' } }));
  const repo = hub.repos.get(BACKBONE_REPO);
  repo?.files.set('model.safetensors.index.json', index);
  await expect(resolveGuard(GUARD_REPO, { env, backbone: BACKBONE_REPO })).rejects.toThrow(
    /weight_map must name/,
  );
});

test('an artifact on this machine takes the backbone that it names from the hub, and a given one from there too', async () => {
  const dir = join(home, 'mine');
  await mkdir(dir);
  for (const [name, bytes] of hub.repos.get(GUARD_REPO)?.files ?? []) await writeFile(join(dir, name), bytes);
  const named = await resolveGuard(dir, { env });
  expect(named.artifact.pin).toBeUndefined();
  expect(named.backbone.pin).toMatchObject({ repo: BACKBONE_REPO, revision: hub.commit(BACKBONE_REPO) });
  const given = await resolveGuard(dir, { env, backbone: `${BACKBONE_REPO}@main` });
  expect(given.backbone.pin).toMatchObject({ repo: BACKBONE_REPO, revision: 'main' });
  const starter = await resolveGuard('starter', { env, backbone: BACKBONE_REPO });
  expect(starter.backbone.kind).toBe('safetensors');
});

test('a GGUF file that an artifact names is fetched alone', async () => {
  const config = JSON.parse(
    Buffer.from(hub.repos.get(GUARD_REPO)?.files.get('siren_config.json') ?? '').toString(),
  );
  config.base_model.gguf_file = 'tiny.Q8_0.gguf';
  hub.repos.get(GUARD_REPO)?.files.set('siren_config.json', Buffer.from(JSON.stringify(config)));
  const repo = hub.repos.get(BACKBONE_REPO);
  repo?.files.set('tiny.Q8_0.gguf', Buffer.from('GGUF'));
  config.base_model.revision = null;
  hub.repos.get(GUARD_REPO)?.files.set('siren_config.json', Buffer.from(JSON.stringify(config)));
  const { backbone } = await resolveGuard(GUARD_REPO, { env });
  expect(backbone).toMatchObject({ kind: 'gguf', pin: { revision: 'main' } });
  expect(backbone.kind === 'gguf' && basename(backbone.file)).toBe('tiny.Q8_0.gguf');
  expect(hub.count(/resolve/)).toBe(3);
});

test('files that Python fetched are used as they are', async () => {
  const commit = hub.commit(BACKBONE_REPO);
  const snapshot = join(repoDir(BACKBONE_REPO), 'snapshots', commit);
  await mkdir(snapshot, { recursive: true });
  await mkdir(join(repoDir(BACKBONE_REPO), 'blobs'));
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors']) {
    const bytes = hub.repos.get(BACKBONE_REPO)?.files.get(file) ?? new Uint8Array();
    const hash = hashOf(file, bytes);
    await writeFile(join(repoDir(BACKBONE_REPO), 'blobs', hash), bytes);
    await symlink(join('..', '..', 'blobs', hash), join(snapshot, file));
  }
  await resolveGuard(GUARD_REPO, { env });
  expect(hub.count(new RegExp(`${BACKBONE_REPO}/resolve`))).toBe(0);
  // It was unknown whether there is a chat_template.jinja; that takes one request.
  expect(hub.count(new RegExp(`${BACKBONE_REPO}/paths-info`), 'POST')).toBe(1);
  await resolveGuard(GUARD_REPO, { env: { ...env, HF_HUB_OFFLINE: '1' } });
});

test('progress is told in bytes, up to the whole', async () => {
  const bytes: TransferredBytes[] = [];
  await resolveGuard(GUARD_REPO, { env, onEvent, onBytes: (progress) => bytes.push(progress) });
  for (const label of [GUARD_REPO, BACKBONE_REPO]) {
    const own = bytes.filter((entry) => entry.label === label);
    const files = label === GUARD_REPO ? /^siren/ : /^(config|tokenizer|tokenizer_config|model)\.(json|safe)/;
    const repo = [...(hub.repos.get(label)?.files ?? [])].filter(([name]) => files.test(name));
    const total = repo.reduce((sum, [, content]) => sum + content.length, 0);
    expect(own.at(-1)).toMatchObject({ done: total, total });
    expect(own.every(({ done }, i) => done > (own[i - 1]?.done ?? -1))).toBe(true);
  }
  const fetches = events.filter(({ step }) => step === 'fetch').map(({ message }) => message);
  expect(fetches[0]).toMatch(/^Fetching lab\/SIREN-tiny: 2 files, [\d.]+ kB$/);
});

test('without a network a branch is what it was when it was last asked, and that is told', async () => {
  const { name } = await resolveGuard(GUARD_REPO, { env });
  const { endpoint } = hub;
  await hub.close();
  expect((await resolveGuard(GUARD_REPO, { env, onEvent })).name).toBe(name);
  const notes = events.filter(({ step }) => step === 'note').map(({ message }) => message);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toContain(`no connection to ${new URL(endpoint).host}`);
  expect(notes[0]).toContain(`Going on with commit ${name.split('@')[1]} of ${GUARD_REPO}, which main was`);
  hub = await HubServer.start({});
});

test('a hub that is down for a moment too is no reason to stop, and no hub at all without a cache is', async () => {
  await resolveGuard(GUARD_REPO, { env });
  hub.fail(/revision\/main/, { status: 503 }, 2);
  await resolveGuard(GUARD_REPO, { env, onEvent });
  expect(events.map(({ step }) => step)).toEqual(['note']);
  const gone = await HubServer.start({});
  await gone.close();
  const { host } = new URL(gone.endpoint);
  const nowhere = { HF_HOME: join(home, 'empty'), HF_ENDPOINT: gone.endpoint };
  await expect(resolveGuard(GUARD_REPO, { env: nowhere })).rejects.toMatchObject({
    message: `cannot fetch ${GUARD_REPO}@main: no connection to ${host}: connect ECONNREFUSED ${host}`,
    hint: expect.stringMatching(/Check the network and HF_ENDPOINT.*HTTPS_PROXY/s),
  });
  await expect(
    resolveGuard(GUARD_REPO, {
      env: { HF_HOME: home, HF_ENDPOINT: 'http://no-such-host.invalid' },
      backbone: 'x/y',
    }),
  ).rejects.toThrow(/no connection to no-such-host\.invalid: getaddrinfo/);
});

test('offline nothing is asked, and what is missing is named with the way to get it', async () => {
  const offline = { ...env, HF_HUB_OFFLINE: '1' };
  const failing = resolveGuard(GUARD_REPO, { env: offline });
  await expect(failing).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(/^lab\/SIREN-tiny@main is needed, HF_HUB_OFFLINE forbids to fetch it/),
    hint: expect.stringContaining('tocsin guards pull'),
  });
  await resolveArtifact(GUARD_REPO, { env });
  hub.requests.length = 0;
  await expect(resolveGuard(GUARD_REPO, { env: offline })).rejects.toThrow(
    /^the guard's backbone: vendor\/tiny@.* lacks config\.json, tokenizer\.json, .*model\.safetensors/,
  );
  expect(hub.requests).toEqual([]);
});

test('a repository that is no guard, or no backbone, is told by what it lacks', async () => {
  await expect(resolveGuard(BACKBONE_REPO, { env })).rejects.toMatchObject({
    message: `${BACKBONE_REPO}@main is no guard: the repository lacks siren_config.json, siren.safetensors`,
    hint: expect.stringContaining('--backbone'),
  });
  await expect(resolveGuard(GUARD_REPO, { env, backbone: GUARD_REPO })).rejects.toThrow(
    /is no backbone that can be read: it lacks config\.json, tokenizer\.json, model\.safetensors \(or/,
  );
});

test('a directory of that name wins over the hub', async () => {
  await mkdir(join(home, 'lab', 'SIREN-tiny'), { recursive: true });
  const before = process.cwd();
  process.chdir(home);
  try {
    await expect(resolveGuard(GUARD_REPO, { env })).rejects.toThrow(/siren_config\.json does not exist/);
  } finally {
    process.chdir(before);
  }
  expect((await lstat(join(home, 'lab'))).isDirectory()).toBe(true);
  expect(hub.requests).toEqual([]);
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isUserError } from '@tocsin/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveGuard } from '../resolve/resolve-guard.js';
import { BACKBONE_REPO, GUARD_REPO, goldenRepos, HubServer, ProxyServer } from '../testing/index.js';

const NO_RETRY = { retry: { retries: 0, firstWait: 1, longestWait: 1, longestRetryAfter: 10_000 } };
let home = '';
let hub: HubServer;
let env: Record<string, string>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tocsin-refusals-'));
  hub = await HubServer.start(goldenRepos('llama-residual'));
  hub.tokens.set('hf_let_in', { gated: true });
  hub.tokens.set('hf_plain', { gated: false });
  env = { HF_HOME: home, HF_ENDPOINT: hub.endpoint };
});

afterEach(async () => {
  await hub.close();
  await rm(home, { recursive: true });
});

/** The expected error: message and hint. */
async function told(ref: string, more: Record<string, string> = {}): Promise<string> {
  try {
    await resolveGuard(ref, { env: { ...env, ...more }, timing: NO_RETRY });
  } catch (error) {
    if (!isUserError(error)) throw error;
    return `${error.message}\n${error.hint}`;
  }
  throw new Error('expected it to fail');
}

function gate(repo: string): void {
  const found = hub.repos.get(repo);
  if (found !== undefined) found.gated = true;
}

test('a gated backbone without a token: where to accept the licence, and HF_TOKEN', async () => {
  gate(BACKBONE_REPO);
  const text = await told(GUARD_REPO);
  expect(text).toMatch(
    /^the guard's backbone: cannot fetch config\.json of vendor\/tiny@.*: the repository is gated/,
  );
  expect(text).toContain(`Accept the licence at ${hub.endpoint}/${BACKBONE_REPO}`);
  expect(text).toContain(`make a token at ${hub.endpoint}/settings/tokens and set HF_TOKEN`);
  expect(text).toContain('--backbone <directory>');
});

test('a gated repository with a token that was not let in, and with one that was', async () => {
  gate(GUARD_REPO);
  const text = await told(GUARD_REPO, { HF_TOKEN: 'hf_plain' });
  expect(text).toContain('gated, and the account of the token in HF_TOKEN may not read it');
  expect(text).not.toContain('hf_plain');
  await resolveGuard(GUARD_REPO, { env: { ...env, HF_TOKEN: 'hf_let_in' } });
});

test('a token in the file, which the hub does not know', async () => {
  await writeFile(join(home, 'token'), 'hf_revoked');
  const text = await told(GUARD_REPO);
  expect(text).toContain(`the hub does not accept the token in ${join(home, 'token')}`);
  expect(text).toContain('or unset it');
  expect(text).not.toContain('hf_revoked');
});

test('a repository that is not there, or is private', async () => {
  const text = await told('lab/unknown');
  expect(text).toMatch(
    /^cannot fetch lab\/unknown@main: .* has no repository lab\/unknown, or it is a private one/,
  );
  expect(text).toContain('set HF_TOKEN');
  expect(await told('lab/unknown', { HF_TOKEN: 'hf_plain' })).toContain(
    'that the account of the token in HF_TOKEN may read it',
  );
  const repo = hub.repos.get(GUARD_REPO);
  if (repo !== undefined) repo.private = true;
  expect(await told(GUARD_REPO)).toContain('or it is a private one');
  await resolveGuard(GUARD_REPO, { env: { ...env, HF_TOKEN: 'hf_plain' } });
});

test('a revision that is not there: a name, and a commit', async () => {
  expect(await told(`${GUARD_REPO}@v9`)).toMatch(
    /the repository has no revision v9\nIts branches and tags: http/,
  );
  const commit = '0'.repeat(40);
  expect(await told(`${GUARD_REPO}@${commit}`)).toContain(`has no revision ${commit}`);
});

test('a file that went between two requests', async () => {
  hub.fail(/resolve\/.*siren\.safetensors/, { status: 404, headers: { 'x-error-code': 'EntryNotFound' } });
  expect(await told(GUARD_REPO)).toMatch(
    /siren\.safetensors of lab\/SIREN-tiny@main: there is no file siren/,
  );
});

test('a hub that is overloaded, asks for a long wait, forbids, or is none', async () => {
  hub.fail(/revision/, { status: 503, body: '<html>gateway</html>' });
  expect(await told(GUARD_REPO)).toMatch(/the hub answers 503\nRun the same command later/);
  hub.fail(/revision/, { status: 429, headers: { 'retry-after': '3600' } });
  expect(await told(GUARD_REPO)).toContain('asks to wait for 3600 s');
  hub.fail(/revision/, { status: 403, body: '{"error":"Blocked by policy"}' });
  expect(await told(GUARD_REPO)).toContain('the hub refuses it (403: Blocked by policy)');
  hub.fail(/revision/, { status: 200, body: '<html>Log in to the network</html>' });
  expect(await told(GUARD_REPO)).toMatch(/answers is no hub's answer: .*\nIs HF_ENDPOINT/s);
});

test('the token goes to the hub and not to the store that it redirects to', async () => {
  gate(BACKBONE_REPO);
  await resolveGuard(GUARD_REPO, { env: { ...env, HF_TOKEN: 'hf_let_in' } });
  const withToken = hub.requests.filter(({ headers }) => headers.authorization === 'Bearer hf_let_in');
  expect(withToken.every(({ server }) => server === 'hub')).toBe(true);
  expect(withToken.length).toBeGreaterThan(5);
  const store = hub.requests.filter(({ server }) => server === 'store');
  expect(store).toHaveLength(2);
  for (const { headers } of store) expect(headers.authorization).toBeUndefined();
});

test('a proxy is gone through, with its password, and NO_PROXY past it', async () => {
  const proxy = await ProxyServer.start('ada:s3cret');
  try {
    const through = { ...env, HTTP_PROXY: `http://ada:s3cret@${proxy.host}` };
    await resolveGuard(GUARD_REPO, { env: through });
    const hosts = new Set(proxy.tunnels);
    expect(hosts).toContain(new URL(hub.endpoint).host);
    expect(hosts.size).toBe(2);
    const seen = proxy.tunnels.length;
    await resolveGuard(`${GUARD_REPO}@v1`, { env: { ...through, NO_PROXY: '127.0.0.1' } });
    expect(proxy.tunnels).toHaveLength(seen);
  } finally {
    await proxy.close();
  }
});

test('a proxy that refuses, and one that is gone, are named without their password', async () => {
  const proxy = await ProxyServer.start('ada:other');
  const HTTP_PROXY = `http://ada:s3cret@${proxy.host}`;
  const refused = await told(GUARD_REPO, { HTTP_PROXY });
  expect(refused).toContain(`the proxy ${proxy.host} (HTTP_PROXY) refuses the connection to`);
  expect(refused).toContain('407');
  await proxy.close();
  const gone = await told(GUARD_REPO, { HTTP_PROXY });
  expect(gone).toContain(`the proxy ${proxy.host} (HTTP_PROXY) gives no connection to`);
  expect(refused + gone).not.toMatch(/s3cret|ada/);
});

test('a disk that is too small is told before anything is fetched', async () => {
  hub.fail(/paths-info/, {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(
      ['siren_config.json', 'siren.safetensors'].map((path) => ({
        type: 'file',
        path,
        size: 1e17,
        oid: '1'.repeat(40),
      })),
    ),
  });
  const text = await told(GUARD_REPO);
  expect(text).toMatch(
    /^there is not enough space in .*blobs: 200 PB are to be fetched, [\d.]+ [GTP]B are free/,
  );
  expect(text).toContain('HF_HOME');
  expect(hub.count(/resolve/)).toBe(0);
});

test('a cache that cannot be one is told', async () => {
  await writeFile(join(home, 'hub'), 'a file in the way');
  const text = await told(GUARD_REPO);
  expect(text).toMatch(/the cache of models cannot be written: .*\nName another directory with HF_HOME/);
  expect(await readFile(join(home, 'hub'), 'utf8')).toBe('a file in the way');
});

test('an abort ends it with its own reason', async () => {
  const controller = new AbortController();
  let release = (): void => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  hub.fail(/siren_config\.json/, { stall: { after: 10, until } });
  const onBytes = (): void => controller.abort(new Error('enough'));
  await expect(resolveGuard(GUARD_REPO, { env, signal: controller.signal, onBytes })).rejects.toThrow(
    'enough',
  );
  release();
});

import { expect, test } from 'vitest';
import { read } from './infra-files.js';

const dockerfile = read('infra/docker/Dockerfile');
const lines = dockerfile.split('\n');

test('every base is pinned by a full version', () => {
  const bases = lines.filter((line) => /^ARG \w+_IMAGE=/.test(line)).map((line) => line.split('=')[1]);
  expect(bases).toHaveLength(2);
  for (const base of bases) expect(base).toMatch(/:\d+\.\d+\.\d+-/);
  const stages = lines.flatMap((line) => /^FROM \S+ AS (\S+)$/.exec(line)?.[1] ?? []);
  for (const [, from = ''] of dockerfile.matchAll(/^FROM (\S+)/gm)) {
    const possible = ['cpu', 'cuda'].map((kind) => from.replaceAll(`\${ACCELERATOR}`, kind));
    expect(/_IMAGE\}$/.test(from) || possible.every((name) => stages.includes(name)), from).toBe(true);
  }
});

test('it needs no other frontend, and has the version of the packages and the labels of an image', () => {
  expect(dockerfile).not.toMatch(/^#\s*syntax\s*=/m);
  const { version, license } = JSON.parse(read('package.json')) as { version: string; license: string };
  expect(dockerfile).toContain(`ARG VERSION=${version}`);
  expect(dockerfile).toContain(`org.opencontainers.image.licenses="${license}"`);
  for (const label of ['title', 'description', 'version', 'revision'])
    expect(dockerfile).toMatch(new RegExp(`org\\.opencontainers\\.image\\.${label}=`));
});

test('it runs as a fixed user that is not root, writes into declared volumes, and has a health check', () => {
  expect(dockerfile).toMatch(/^USER 10001:10001$/m);
  expect(dockerfile).toMatch(/^VOLUME \["\/var\/lib\/tocsin", "\/var\/cache\/tocsin"\]$/m);
  expect(dockerfile).toMatch(/^HEALTHCHECK [\s\S]*\/healthz/m);
  for (const [, dir = ''] of dockerfile.matchAll(/(?:TOCSIN_\w+|HF_HOME|HOME)=(\/\S+)/g))
    expect(dir).toMatch(/^\/var\/(lib|cache)\/tocsin/);
});

test('what is copied is not ignored', () => {
  const ignored = read('.dockerignore').split('\n');
  for (const [, sources = ''] of dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm))
    for (const source of sources.split(' ')) expect(ignored).not.toContain(source);
});

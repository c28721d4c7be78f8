import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf, linksOf, pages, ROOT, readPage } from './pages.js';

test('pages are found', () => {
  expect(pages.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['README.md', 'docs/api.md', 'infra/README.md', 'infra/helm/tocsin/README.md']),
  );
});

test.each(pages.map((page) => [page.path, page] as const))('links of %s lead somewhere', (path, page) => {
  const broken = linksOf(page).filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : posix.join(posix.dirname(path), file);
    if (!existsSync(`${ROOT}${target}`)) return true;
    return anchor !== undefined && !anchorsOf(readPage(target)).has(anchor);
  });
  expect(broken).toEqual([]);
});

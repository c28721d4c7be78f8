import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { goldenGuard, tocsin, writeJsonl } from '../setup/tocsin.js';
import { labelledRows } from './labelled-rows.js';

const ROWS = labelledRows(50, 3);

let page: string;

beforeAll(async () => {
  const dir = scratchDir();
  const corpus = await writeJsonl(join(dir, '<rows>.jsonl'), ROWS);
  const report = join(dir, 'report.html');
  const args = [...goldenGuard('llama31-ropescaled'), '--data-dir', join(dir, 'postgres')];
  const labels = ['--label-field', 'label', '--group-field', 'where', '--bootstrap', '20'];
  const ended = await tocsin(['eval', corpus, ...args, ...labels, '-o', report]);
  expect(ended).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`Report: ${report}`) });
  page = await readFile(report, 'utf8');
});

test('the report says what was measured, and shows it', () => {
  for (const title of ['Measures', 'Thresholds', 'Plots', 'Groups', 'Most confident mistakes']) {
    expect(page).toContain(`<h2>${title}</h2>`);
  }
  expect(page).toMatch(/<dt>Guard<\/dt><dd>[^<]*llama31-ropescaled/);
  expect(page).toMatch(/<dt>Fingerprint<\/dt><dd>[0-9a-f]{64}</);
  expect(page).toMatch(/<dt>Rows<\/dt><dd>50</);
  expect(page).toMatch(/<dt>Made<\/dt><dd>\d{4}-\d\d-\d\d \d\d:\d\d UTC, by Tocsin \d/);
  expect(page.match(/<svg /g)).toHaveLength(5);
  expect(page).toContain('&lt;rows&gt;.jsonl');
});

test('the report loads nothing, runs nothing, and holds no text of a row', () => {
  expect(page).toContain('http-equiv="Content-Security-Policy"');
  expect(page.match(/<script|<link|<img|<iframe|\son[a-z]+=|@import|url\((?!#)/i)).toBeNull();
  const addresses = [...page.matchAll(/https?:\/\/[^"\s<]+/g)].map(([address]) => address);
  expect(addresses.filter((address) => !address.startsWith('http://www.w3.org/'))).toEqual([]);
  expect(ROWS.filter(({ text }) => page.includes(text))).toEqual([]);
});

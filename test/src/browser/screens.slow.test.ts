import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomRows } from '../setup/random-words.js';
import { axeFindings, PageBed } from './page-bed.js';

let bed: PageBed;
beforeAll(async () => {
  bed = await PageBed.open();
  await bed.scored(randomRows(80, 12));
  await bed.scored(randomRows(60, 12), 'the same again.jsonl');
  // Reading a row and a list of rows creates entries in the audit log.
  for (const path of ['/runs/1/items?limit=50', '/runs/1/items/3', '/runs/1/items?order=seq&limit=9'])
    expect((await fetch(`${bed.url}/api${path}`)).status).toBe(200);
});
afterAll(() => bed?.close());

/** A screen, and the steps before it is checked. */
interface Look {
  name: string;
  path: string;
  /** Text that shows that the screen has loaded. */
  until: string;
  act?: (page: Page) => Promise<void>;
}

const LOOKS: readonly Look[] = [
  { name: 'runs', path: '/', until: 'the same again.jsonl' },
  {
    name: 'submitting',
    path: '/',
    until: 'the same again.jsonl',
    act: (page) => page.getByRole('button', { name: 'Submit a corpus' }).click(),
  },
  { name: 'a run', path: '/runs/1?threshold=0.2', until: 'of 80 rows flagged' },
  {
    name: 'a row',
    path: '/runs/1?threshold=0.1',
    until: 'of 80 rows flagged',
    act: async (page) => {
      await page.locator('.item-line').first().click();
      await page.getByRole('button', { name: 'Show the trace' }).click();
      await page.locator('.heat').first().waitFor();
    },
  },
  { name: 'rejects', path: '/runs/1?tab=rejects', until: 'No rejects' },
  {
    name: 'a comparison',
    path: '/runs/1?tab=comparison',
    until: 'Compare with',
    act: async (page) => {
      await page.getByLabel('Compare with').selectOption('2');
      await page.getByText('newly flagged').waitFor();
    },
  },
  { name: 'exports', path: '/runs/1?tab=export', until: 'Parquet' },
  { name: 'what to review', path: '/review', until: '2: the same again.jsonl' },
  {
    name: 'the review queue',
    path: '/review/1',
    until: 'Harmful',
    act: (page) => page.locator('.heat').first().waitFor(),
  },
  { name: 'a summary', path: '/review/1?tab=summary', until: 'No verdicts yet' },
  {
    name: 'policies',
    path: '/policies',
    until: 'strict',
    act: async (page) => {
      await page.getByRole('button', { name: 'Move the threshold' }).first().click();
      await page.getByRole('slider').first().press('PageUp');
      await page.getByText('This would').waitFor();
    },
  },
  { name: 'guards', path: '/guards', until: 'qwen3-residual' },
  { name: 'schedules', path: '/schedules', until: 'No schedules' },
  {
    name: 'keys',
    path: '/keys',
    until: 'No keys yet',
    act: (page) => page.getByRole('button', { name: 'New key' }).click(),
  },
  { name: 'the audit log', path: '/audit', until: 'run.create' },
  { name: 'nothing', path: '/nowhere', until: 'Nothing at this address' },
];

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };

test.each(LOOKS)(
  '$name: for everybody to use, light and dark, wide and narrow',
  async ({ path, until, act }) => {
    const visit = await bed.visit({ viewport: WIDE, reducedMotion: 'reduce' });
    const { page } = visit;
    await page.goto(path);
    await page.getByText(until).first().waitFor();
    await act?.(page);
    for (const size of [WIDE, NARROW]) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme: 'light' });
      expect(await axeFindings(page)).toEqual([]);
      // Only colours differ.
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await axeFindings(page, ['color-contrast'])).toEqual([]);
      expect(await visit.overflow()).toBe(0);
      expect(await visit.beyondContent()).toBe(0);
      expect(await visit.narrowCells()).toEqual([]);
    }
    expect(visit.troubles).toEqual([]);
    await visit.end();
  },
);

test('the reader chooses light or dark, and the browser keeps it', async () => {
  const visit = await bed.visit({ colorScheme: 'light' });
  const { page } = visit;
  await page.goto('/');
  const ground = (): Promise<string> =>
    page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
  const light = await ground();
  await page.getByLabel('Colours').selectOption('dark');
  const dark = await ground();
  expect(dark).not.toBe(light);
  await page.reload();
  expect(await ground()).toBe(dark);
  await page.getByLabel('Colours').selectOption('system');
  expect(await ground()).toBe(light);
  await visit.end();
});

test('times are in the zone of the viewer', async () => {
  const [zone] = await bed.ask<{ at: string }>(
    `select to_char(min(at) at time zone 'Asia/Tokyo', 'FMHH12:MI') as at from audit_log`,
  );
  const visit = await bed.visit({ timezoneId: 'Asia/Tokyo', locale: 'en-US' });
  await visit.page.goto('/audit');
  await visit.page
    .getByText(zone?.at ?? 'no entry')
    .first()
    .waitFor();
  await visit.end();
});

test('the first load is small, compressed once at the build, and comes from the server alone', async () => {
  const visit = await bed.visit();
  const scripts: { encoding: string | undefined; bytes: number }[] = [];
  visit.page.on('response', async (response) => {
    if (response.request().resourceType() !== 'script') return;
    const { 'content-encoding': encoding, 'content-length': bytes } = await response.allHeaders();
    scripts.push({ encoding, bytes: Number(bytes) });
  });
  await visit.page.goto('/', { waitUntil: 'networkidle' });
  expect(scripts.map(({ encoding }) => encoding)).toEqual(['br', 'br']);
  expect(scripts.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(60_000);
  expect(visit.troubles).toEqual([]);
  await visit.end();
});

test('a server that is gone is said to be, and asked again on request', async () => {
  const visit = await bed.visit();
  const { page } = visit;
  await page.goto('/');
  await page.getByText('the same again.jsonl').waitFor();
  await page.route('**/api/guards', (route) => route.abort());
  await page.getByRole('link', { name: 'Guards' }).click();
  await page.getByText('The server does not answer.').waitFor();
  await page.unroute('**/api/guards');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('row', { name: /qwen3-residual/ }).waitFor();
  await visit.end();
});

import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { PageBed } from './page-bed.js';
import type { Visit } from './visit.js';

/** Each payload sets this if it runs. */
const PWNED = 'globalThis.pwned = true';
const MARKUP = `<img src=x onerror="${PWNED}"><script>${PWNED}</script><svg onload="${PWNED}">`;
const END = 'the very end';
const HOSTILE: Record<string, string> = {
  markup: `${MARKUP}</td></table></main><iframe srcdoc="<script>parent.${PWNED}</script>">`,
  address: `javascript:${PWNED} [a](javascript:${PWNED}) https://elsewhere.invalid/x.png`,
  style: `</style><style>body{display:none}</style><div style="position:fixed;inset:0">over everything</div>`,
  bidi: 'tea\u202e\u2066dne eht morf\u2069\u202c and \u200bhidden\u200d\u{e0068}\u{e0069}\u0007',
  stacked: `z${'\u0301\u0323\u0337'.repeat(400)}`,
  word: `${'a'.repeat(200_000)} ${END}`,
  lines: 'line\n'.repeat(5000),
  template: `\${${PWNED}} {{${PWNED}}} %3Cscript%3E &lt;b&gt;`,
};
const ROWS = Object.entries(HOSTILE).map(([key, text]) => ({ id: `${key} ${MARKUP}\u202e`, text }));

const BLUR = "getComputedStyle(document.querySelector('dialog .veiled')).filter";

let bed: PageBed;
let visit: Visit;
let page: Page;
beforeAll(async () => {
  bed = await PageBed.open();
  const badRow = { id: MARKUP, text: { [MARKUP]: 1 } };
  await bed.scored([...ROWS, badRow], `<img src=x onerror=stop()>\u202e${'n'.repeat(100)}.jsonl`);
  visit = await bed.visit({ viewport: { width: 420, height: 800 } });
  ({ page } = visit);
});
afterAll(async () => {
  await visit?.end();
  await bed?.close();
});

/** No payload became an element, ran, or was blocked, and nothing is wider than the window. */
async function expectHarmless(): Promise<void> {
  expect(await page.evaluate('globalThis.pwned')).toBeUndefined();
  expect(
    await page.locator('#page :is(img, script, iframe, style, [style*=fixed], [onload], [onerror])').count(),
  ).toBe(0);
  expect(await visit.overflow()).toBe(0);
  expect(visit.troubles).toEqual([]);
}

/** Of the displayed row; null without one. */
async function nameOf(card: Locator): Promise<string | null> {
  return (await card.isVisible()) ? card.getAttribute('aria-label') : null;
}

async function openRow(key: string): Promise<Locator> {
  await page.goto('/runs/1?threshold=0');
  await page
    .locator('.item-line')
    .filter({ hasText: `${key} <img` })
    .first()
    .click();
  return page.getByRole('dialog');
}

test('in the list of runs, and of rows', async () => {
  await page.goto('/');
  await page.getByRole('link', { name: /onerror/ }).waitFor();
  await expectHarmless();
  await page.goto('/runs/1?threshold=0');
  await page
    .locator('.item-line')
    .nth(ROWS.length - 1)
    .waitFor();
  await page.getByText('</style><style>').first().waitFor();
  await expectHarmless();
  await page.goto('/runs/1?tab=rejects');
  await page.getByRole('row', { name: /unreadable|not scored/ }).waitFor();
  await expectHarmless();
});

test('what hides or turns a text round is to be seen', async () => {
  const dialog = await openRow('bidi');
  for (const mark of ['RLO', 'LRI', 'PDI', 'PDF', 'ZWSP', 'ZWJ', 'TAG h', 'TAG i', '\u2407']) {
    await dialog.locator('.content .hidden-mark').getByText(mark, { exact: true }).waitFor();
  }
  expect(await dialog.locator('.content').textContent()).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  await expectHarmless();
});

test('a very long text is cut, and shown whole on request', async () => {
  const dialog = await openRow('word');
  const more = dialog.getByRole('button', { name: /Show/ }).filter({ hasText: 'characters' });
  expect((await dialog.locator('.content').textContent())?.length).toBeLessThan(5000);
  await expectHarmless();
  while ((await more.count()) > 0) await more.click();
  await dialog.getByText(END).waitFor();
  await expectHarmless();
});

test.each(Object.keys(HOSTILE))('traced: %s', async (key) => {
  const dialog = await openRow(key);
  await dialog.getByRole('button', { name: 'Show the trace' }).click();
  await dialog.locator('.heat').first().waitFor();
  await expectHarmless();
});

test('in the review queue', async () => {
  await page.goto('/review/1?order=score');
  const card = page.locator('.review-card');
  for (const _ of ROWS) {
    await card.locator('.content').first().waitFor();
    await expectHarmless();
    const judged = await card.getAttribute('aria-label');
    await page.keyboard.press('f');
    await until(async () => ((await nameOf(card)) === judged ? undefined : true));
  }
  await page.getByRole('heading', { name: 'That was the last row' }).waitFor();
  await expectHarmless();
});

test('in comparisons, policies and the audit log', async () => {
  await page.goto('/audit');
  await page.getByText('review.verdict').first().waitFor();
  await expectHarmless();
  await page.goto('/policies');
  await page.getByRole('button', { name: 'Move the threshold' }).first().click();
  await page.getByRole('slider').press('Home');
  await page.getByText(/This would/).waitFor();
  await expectHarmless();
});

test('texts are blurred until asked for, if the reader wants that', async () => {
  await page.goto('/');
  await page.getByLabel('Blur texts').check();
  const dialog = await openRow('style');
  const text = dialog.locator('.content');
  await dialog.locator('.veiled').waitFor();
  expect(await page.evaluate(BLUR)).toContain('blur');
  await dialog.getByRole('button', { name: 'Show text' }).click();
  await text.waitFor();
  expect(await dialog.locator('.veiled').count()).toBe(0);
  await page.reload();
  expect(await page.getByLabel('Blur texts').isChecked()).toBe(true);
});

import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { randomRows } from '../setup/random-words.js';
import { PageBed } from './page-bed.js';
import type { Visit } from './visit.js';

const ROWS = randomRows(600, 20);
/** The data transfer of a dropped file. */
const DROPPED = `(() => {
  const transfer = new DataTransfer();
  transfer.items.add(new File(['{"text":"tea"}'], 'dropped.jsonl'));
  return transfer;
})()`;

let bed: PageBed;
let visit: Visit;
let page: Page;
beforeAll(async () => {
  bed = await PageBed.open();
  visit = await bed.visit();
  ({ page } = visit);
});
afterAll(async () => {
  await visit?.end();
  await bed?.close();
});

const slider = (): Locator => page.getByRole('slider', { name: 'Threshold' });
const shownThreshold = async (): Promise<number> => Number(await slider().getAttribute('aria-valuenow'));

/** Waits until the page's count equals the database's. */
async function untilExact(run: number): Promise<number> {
  const flagged = await bed.flagged(run, await shownThreshold());
  await page.getByLabel('Flagged rows').getByText(flagged.toLocaleString('en'), { exact: true }).waitFor();
  return flagged;
}

test('the page says how to begin, and takes a file', async () => {
  await page.goto('/');
  await page.getByRole('heading', { name: 'Nothing has been scored yet' }).waitFor();
  await page.getByRole('button', { name: 'Choose a file' }).click();
  const lines = [...ROWS.map((row) => JSON.stringify(row)), '{"id":"no text"}'];
  await page.getByLabel('File').setInputFiles({
    name: 'messages.jsonl',
    mimeType: 'application/jsonl',
    buffer: Buffer.from(lines.join('\n')),
  });
  await page.getByRole('dialog').getByRole('button', { name: 'Submit' }).click();
  await page.waitForURL('**/runs/1');
  await page.getByRole('heading', { name: 'messages.jsonl' }).waitFor();
});

test('a run is followed until it is done, without a reload', async () => {
  await page.locator('.badge').getByText('done', { exact: true }).waitFor();
  await page.getByText('of 600 rows flagged').waitFor();
  expect(await untilExact(1)).toBeGreaterThan(0);
});

test('the threshold is dragged, and the counts follow it', async () => {
  const box = await page.locator('.histogram').boundingBox();
  if (box === null) throw new Error('there is no histogram');
  await page.mouse.move(box.x + box.width / 2, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 100, { steps: 5 });
  await page.mouse.up();
  const dragged = await shownThreshold();
  expect(dragged).toBeGreaterThan(0.2);
  expect(dragged).toBeLessThan(0.35);
  await untilExact(1);
  await page.waitForURL(`**/runs/1?threshold=${dragged}`);
});

test('the threshold is a slider to the keyboard', async () => {
  const before = await shownThreshold();
  await slider().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  expect(await shownThreshold()).toBeCloseTo(before + 0.011, 6);
  const flagged = await untilExact(1);
  expect(await slider().getAttribute('aria-valuetext')).toContain(`${flagged} of 600 rows flagged`);
});

test('a policy sets the threshold', async () => {
  await page.getByRole('radio', { name: 'strict 0.1' }).check();
  expect(await shownThreshold()).toBe(0.1);
  await untilExact(1);
});

test('flagged rows come in pages as one scrolls, and by words of their texts', async () => {
  const flagged = await bed.flagged(1, 0.1);
  expect(flagged).toBeGreaterThan(100);
  const rows = page.locator('.item-line');
  await until(async () => {
    await page.mouse.wheel(0, 10_000);
    return (await rows.count()) === flagged ? true : undefined;
  });
  await page.getByLabel('Search in texts').fill('tea lamp');
  const found = await until(async () => {
    const texts = await page.locator('.item-line .content').allTextContents();
    return texts.every((text) => /(?=.*\btea\b)(?=.*\blamp\b)/.test(text)) ? texts : undefined;
  });
  expect(found.length).toBeGreaterThan(0);
});

test('a row is read in full, with where its score comes from', async () => {
  await page.locator('.item-line').first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Show the trace' }).click();
  await dialog.locator('.heat').first().waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
});

test('rejects say why', async () => {
  await page.getByRole('tab', { name: 'Rejects 1' }).click();
  await page.getByRole('cell', { name: 'no text', exact: true }).waitFor();
});

test('scores are taken away in a format of choice', async () => {
  await page.getByRole('tab', { name: 'Export' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'CSV', exact: true }).click(),
  ]);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString().trim().split('\n').length).toBe(ROWS.length + 2);
});

test('rows are judged by the keyboard alone', async () => {
  await page.getByRole('link', { name: 'Review', exact: true }).last().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/review/1**');
  const card = page.locator('.review-card');
  const shown = async (): Promise<string> => (await card.getAttribute('aria-label')) ?? '';
  const press = async (key: string): Promise<void> => {
    const before = await shown();
    await page.keyboard.press(key);
    await until(async () => ((await shown()) === before ? undefined : true));
  };
  await card.locator('.heat').first().waitFor();
  await press('h');
  await press('f');
  await page.keyboard.press('n');
  await page.keyboard.type('half of it');
  await page.keyboard.press('Escape');
  const noted = await shown();
  await press('f');
  await press('u');
  expect(await shown()).toBe(noted);
  expect(await page.getByLabel('Note on this row').inputValue()).toBe('half of it');
  await press('s');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  const verdicts = await until(async () => {
    const given = await bed.ask<{ verdict: string; note: string | null }>(
      'select verdict, note from verdicts where undone_at is null order by id',
    );
    return given.length === 3 ? given : undefined;
  });
  expect(verdicts).toEqual([
    { verdict: 'harmful', note: null },
    { verdict: 'fine', note: null },
    { verdict: 'skip', note: 'half of it' },
  ]);
});

test('verdicts tell how precise thresholds are', async () => {
  await page.getByRole('tab', { name: 'Summary' }).click();
  await page.locator('.figure').getByText('rows judged').waitFor();
  await page.getByRole('img', { name: /Precision and recall/ }).waitFor();
  await page.getByRole('cell', { name: 'permissive' }).waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Labelled rows as JSONL' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/\.jsonl$/);
});

test('a policy is moved after a look at what that changes', async () => {
  await page.getByRole('link', { name: 'Policies' }).click();
  const policy = page.getByRole('region', { name: 'Policy default' });
  await policy.getByRole('button', { name: 'Move the threshold' }).click();
  await policy.getByLabel('Threshold', { exact: true }).first().fill('0.3');
  const more = (await bed.flagged(1, 0.3)) - (await bed.flagged(1, 0.5));
  await policy.getByText(`This would flag ${more} more rows of run 1`).waitFor();
  expect(await policy.locator('.examples > li').count()).toBeGreaterThan(0);
  await policy.getByLabel('Why').fill('too much was missed');
  await policy.getByRole('button', { name: 'Move 0.5' }).click();
  await page.getByText('The threshold of default is now 0.3.').waitFor();
  await policy.getByRole('button', { name: 'History' }).click();
  await policy.getByText('0.5 \u2192 0.3').waitFor();
  await policy.getByText('too much was missed').waitFor();
});

test('a file that is dropped on the page is taken too', async () => {
  await page.goto('/');
  await page.getByRole('link', { name: 'messages.jsonl' }).waitFor();
  const files = await page.evaluateHandle(DROPPED);
  await page.locator('.drop-zone').dispatchEvent('drop', { dataTransfer: files });
  await page.getByRole('dialog').getByText('dropped.jsonl, 14 bytes').waitFor();
});

test('nothing went wrong on the way', () => {
  expect(visit.troubles).toEqual([]);
});

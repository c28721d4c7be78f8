import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomRows } from '../setup/random-words.js';
import { PageBed } from './page-bed.js';
import type { Visit } from './visit.js';

const PAIRS = randomRows(12, 8).map(({ id, text }, i) => ({ id, prompt: `question ${i}`, response: text }));
const LABELS = ['Prompt', 'Response'];

let bed: PageBed;
let visit: Visit;
beforeAll(async () => {
  bed = await PageBed.open();
  await bed.scored(PAIRS);
  await bed.scored(
    PAIRS.map((row) => ({ ...row, response: `${row.response} and more` })),
    'the night after.jsonl',
  );
  visit = await bed.visit();
});
afterAll(async () => {
  await visit?.end();
  await bed?.close();
});

test('rows of a run, and one in full, with and without its trace', async () => {
  const { page } = visit;
  await page.goto('/runs/1?threshold=0');
  const lines = page.locator('.item-line');
  await lines.first().waitFor();
  for (const line of await lines.all())
    expect(await line.locator('.said-name').allInnerTexts()).toEqual(LABELS);
  await lines.first().click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('.content').nth(1).waitFor();
  expect(await dialog.getByRole('heading', { level: 3 }).allInnerTexts()).toEqual(LABELS);
  await dialog.getByRole('button', { name: 'Show the trace' }).click();
  await dialog.locator('.heat').first().waitFor();
  expect(await dialog.getByRole('heading', { level: 3 }).allInnerTexts()).toEqual(LABELS);
  // Each label precedes its own text.
  const parts = await dialog.locator('.part').allInnerTexts();
  expect(parts[0]).toMatch(/^Prompt\s+question \d+$/);
  expect(parts[1]).toMatch(/^Response\s+(?!question)/);
});

test('rows that differ from another run, and rows that a policy would flag', async () => {
  const { page } = visit;
  await page.goto('/runs/2?tab=comparison');
  const scores = await bed.ask<{ now: number; then: number }>(
    `select s2.score as now, s1.score as then from items i2 join items i1 on i1.run_id = 1 and i1.key = i2.key
     join scores s1 on s1.content = i1.content join scores s2 on s2.content = i2.content where i2.run_id = 2`,
  );
  const [moved] = scores.toSorted((a, b) => Math.abs(b.now - b.then) - Math.abs(a.now - a.then));
  const between = ((moved?.now ?? 0) + (moved?.then ?? 0)) / 2;
  await page.goto(`/runs/2?tab=comparison&threshold=${between}`);
  await page.getByLabel('Compare with').selectOption('1');
  const differing = page.getByRole('region', { name: 'Rows that differ most' }).locator('tbody tr');
  await differing.first().waitFor();
  for (const row of await differing.all())
    expect(await row.locator('.said-name').allInnerTexts()).toEqual(LABELS);

  await page.goto('/policies');
  await page.getByRole('button', { name: 'Move the threshold' }).first().click();
  // Rows are distinguishable wherever they are.
  await page
    .getByRole('slider')
    .first()
    .press((await bed.flagged(2, 0.1)) > 0 ? 'End' : 'Home');
  await page.locator('.examples .said-name').first().waitFor();
  expect([...new Set(await page.locator('.examples .said-name').allInnerTexts())]).toEqual(LABELS);
});

test('the row to review, with and without its trace', async () => {
  const { page } = visit;
  await page.goto('/review/1');
  const card = page.locator('.review-card');
  await card.locator('.heat').first().waitFor();
  expect(await card.getByRole('heading', { level: 3 }).allInnerTexts()).toEqual(LABELS);
  await page.keyboard.press('t');
  await card.locator('.heat').first().waitFor({ state: 'detached' });
  expect(await card.getByRole('heading', { level: 3 }).allInnerTexts()).toEqual(LABELS);
});

test('a run without scores says so once, and shows its rows', async () => {
  const [run] = await bed.ask<{ id: number }>(
    `insert into runs (guard_id, name, state, rows, fresh, retain, finished_at)
     select guard_id, 'no scores yet', 'cancelled', 1, 1, 'all', now() from runs where id = 1 returning id`,
  );
  const id = run?.id ?? 0;
  await bed.ask(`insert into items (run_id, seq, key, content) values ($1, 1, 'waits', sha256('waits'))`, [
    id,
  ]);
  await visit.page.goto(`/runs/${id}`);
  await visit.page.getByRole('cell', { name: 'waits' }).waitFor();
  expect(await visit.page.locator('.empty').count()).toBe(1);
  expect(await visit.page.getByText(/No score reaches/).count()).toBe(0);
});

test('a run that is not there is told in words for people', async () => {
  const { page } = visit;
  for (const path of ['/runs/999', '/review/999']) {
    await page.goto(path);
    await page.getByRole('heading', { name: 'Run 999 not found' }).waitFor();
    expect(await page.locator('main').innerText()).not.toMatch(/api|GET|Try again/);
  }
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { randomRows } from '../setup/random-words.js';
import { axeFindings, PageBed } from './page-bed.js';
import type { Visit } from './visit.js';

const ROWS = randomRows(24, 8);

let bed: PageBed;
const keys: Record<string, string> = {};
const visits: Visit[] = [];
beforeAll(async () => {
  bed = await PageBed.open();
  await bed.scored(ROWS);
});
afterAll(async () => {
  await Promise.all(visits.map((visit) => visit.end()));
  await bed?.close();
});

async function makeKey(name: string, role: string): Promise<void> {
  const response = await fetch(`${bed.url}/api/keys`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(keys.mara !== undefined && { authorization: `Bearer ${keys.mara}` }),
    },
    body: JSON.stringify({ name, role }),
  });
  if (!response.ok) throw new Error(await response.text());
  const { key } = (await response.json()) as { key: string };
  keys[name] = key;
}

async function signedIn(name: string): Promise<Visit> {
  const visit = await bed.visit();
  visits.push(visit);
  await visit.page.goto('/');
  await visit.page.getByLabel('API key').fill(keys[name] ?? '');
  await visit.page.keyboard.press('Enter');
  await visit.page.getByRole('heading', { name: 'Runs' }).waitFor();
  return visit;
}

test('the first key is made on the page and shown once, and this browser goes on with it', async () => {
  const visit = await bed.visit({ permissions: ['clipboard-read', 'clipboard-write'] });
  visits.push(visit);
  const { page } = visit;
  await page.goto('/keys');
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByLabel('Name').fill('mara');
  expect(await page.getByLabel('Role').inputValue()).toBe('admin');
  await page.getByRole('button', { name: 'Create key' }).click();
  const dialog = page.getByRole('dialog', { name: 'The key mara' });
  const key = (await dialog.locator('.shown-key').textContent()) ?? '';
  expect(key).toMatch(/^tcs_/);
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await dialog.getByText('Copied').waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('row', { name: /mara/ }).waitFor();
  await page.locator('.settings').getByText('mara').waitFor();
  expect(await page.content()).not.toContain(key);
  keys.mara = key;
});

test('a wrong key is refused in words, the right one lets in, and no script can read the cookie', async () => {
  const [{ page }] = visits as [Visit];
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API key').waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.getByLabel('API key').fill('tcs_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.wrong').waitFor();
  await page.getByLabel('API key').fill(keys.mara ?? '');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Runs' }).waitFor();
  expect(await page.evaluate('document.cookie')).toBe('');
});

test('two reviewers never get the same row', async () => {
  await makeKey('ada', 'review');
  await makeKey('ben', 'review');
  const reviewers = [await signedIn('ada'), await signedIn('ben')];
  // Both lease a row before either judges one; otherwise the first could finish before the other starts.
  for (const { page } of reviewers) {
    await page.goto('/review/1');
    await page.locator('.review-card').waitFor();
  }
  const judged = async (): Promise<number> =>
    (await bed.ask<{ rows: number }>('select count(distinct seq)::int as rows from verdicts'))[0]?.rows ?? 0;
  const seen = await Promise.all(
    reviewers.map(async ({ page }) => {
      const rows: string[] = [];
      const card = page.locator('.review-card');
      // No row is left, or the other reviewer has it: a row released late appears at the next poll.
      const lookAgain = page.getByRole('button', { name: 'Look again' });
      for (;;) {
        const next = await until(async () => {
          if (await lookAgain.isVisible()) return 'done';
          const [row] = await card.evaluateAll((cards) => cards.map(({ ariaLabel }) => ariaLabel));
          return row == null || row === rows.at(-1) ? undefined : row;
        });
        if (next !== 'done') {
          rows.push(next);
          await page.keyboard.press('f');
        } else if ((await judged()) === ROWS.length) return rows;
        else await lookAgain.click();
      }
    }),
  );
  const all = seen.flat();
  expect(new Set(all).size).toBe(all.length);
  expect(all.length).toBe(ROWS.length);
  for (const rows of seen) expect(rows.length).toBeGreaterThan(0);
  const counted = await bed.ask<{ rows: number }>('select count(*)::int as rows from verdicts group by seq');
  expect(counted).toEqual(ROWS.map(() => ({ rows: 1 })));
});

test('a second opinion is asked for, and agreement is told', async () => {
  const [, ada] = visits as [Visit, Visit];
  const { page } = ada;
  await page.goto('/review/1?second=true');
  await page.locator('.review-card').waitFor();
  await page.keyboard.press('f');
  await until(async () => {
    const [pairs] = await bed.ask<{ rows: number }>(
      'select count(*)::int as rows from (select seq from verdicts group by seq having count(*) = 2) pairs',
    );
    return pairs?.rows === 1 ? true : undefined;
  });
  await page.goto('/review/1?tab=summary');
  await page.locator('.figure').filter({ hasText: 'judged twice' }).getByText('1', { exact: true }).waitFor();
  await page.getByRole('row', { name: /ada/ }).waitFor();
});

test('a key that may not administer is offered nothing to administer', async () => {
  const [, , ben] = visits as [Visit, Visit, Visit];
  const { page } = ben;
  await page.goto('/');
  await page.getByRole('link', { name: 'messages.jsonl' }).waitFor();
  const screens = await page.getByRole('navigation').getByRole('link').allTextContents();
  expect(screens).toEqual(['Runs', 'Review', 'Policies', 'Guards', 'Schedules']);
  expect(await page.getByRole('button', { name: 'Submit a corpus' }).count()).toBe(0);
  await page.goto('/audit');
  await page.getByRole('heading', { name: 'Your key may not see this' }).waitFor();
});

test('who signs out is out', async () => {
  const [, , ben] = visits as [Visit, Visit, Visit];
  await ben.page.getByRole('button', { name: 'Sign out' }).click();
  await ben.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await ben.page.goto('/review/1');
  await ben.page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

test('nothing went wrong on the way', () => {
  expect(visits.flatMap(({ troubles }) => troubles)).toEqual([]);
});

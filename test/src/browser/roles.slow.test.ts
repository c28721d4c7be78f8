import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { randomRows } from '../setup/random-words.js';
import { PageBed } from './page-bed.js';
import type { Visit } from './visit.js';

const ROLES = ['submit', 'read', 'review', 'admin'] as const;
type Role = (typeof ROLES)[number];

const SCREENS = [
  '/',
  '/runs/1?threshold=0',
  '/runs/1?tab=rejects',
  '/runs/1?tab=comparison',
  '/runs/1?tab=export',
  '/review',
  '/review/1',
  '/review/1?tab=summary',
  '/policies',
  '/guards',
  '/schedules',
  '/keys',
  '/audit',
];

/** Which role sees which controls. */
const OFFERED: readonly { path: string; name: string; roles: readonly Role[] }[] = [
  { path: '/', name: 'Submit a corpus', roles: ['submit', 'admin'] },
  { path: '/runs/1', name: 'Delete', roles: ['submit', 'admin'] },
  { path: '/runs/1', name: 'Review', roles: ['review', 'admin'] },
  { path: '/review', name: 'Review run 1', roles: ['review', 'admin'] },
  { path: '/review/1?tab=summary', name: 'Labelled rows as JSONL', roles: ['review', 'admin'] },
  { path: '/policies', name: 'New policy', roles: ['admin'] },
  { path: '/policies', name: 'Move the threshold', roles: ['admin'] },
  { path: '/schedules', name: 'New schedule', roles: ['admin'] },
  { path: '/keys', name: 'New key', roles: ['admin'] },
];

let bed: PageBed;
const keys: Partial<Record<Role, string>> = {};

async function post(path: string, body: unknown, key?: string): Promise<unknown> {
  const response = await fetch(`${bed.url}/api${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return response.json();
}

beforeAll(async () => {
  bed = await PageBed.open();
  const makeKey = async (role: Role): Promise<void> => {
    const made = (await post('/keys', { name: `the ${role} key`, role }, keys.admin)) as { key: string };
    keys[role] = made.key;
  };
  await makeKey('admin');
  for (const role of ROLES.filter((role) => role !== 'admin')) await makeKey(role);
  // Created by the submit key, which sees only its own runs.
  await bed.scored(randomRows(20, 8), 'messages.jsonl', keys.submit);
  await post('/reviews/verdicts', { run: 1, seq: 1, verdict: 'fine' }, keys.review);
});
afterAll(() => bed?.close());

async function signedIn(role: Role): Promise<Visit> {
  const visit = await bed.visit();
  const response = await visit.context.request.post('/api/session', { data: { key: keys[role] } });
  expect(response.status()).toBe(204);
  return visit;
}

/** Opens a screen, and waits until all its requests are answered. */
async function open({ page }: Visit, path: string): Promise<void> {
  await page.goto(path);
  await page.locator('main h1').waitFor();
  await until(async () => ((await page.locator('.waiting').count()) === 0 ? true : undefined));
}

/** Presses every button of a screen once, and closes the dialogs that open; of the rows, only the first. */
async function pressAll(page: Page): Promise<void> {
  const buttons = page.locator('main button:enabled:not(.opener, dialog *), main tr:first-child .opener');
  for (let at = 0; at < (await buttons.count()); at++) {
    await buttons.nth(at).click();
    await page.evaluate(`new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      .then(() => document.querySelectorAll('dialog[open]').forEach((dialog) => dialog.close()))`);
    await until(async () => ((await page.locator('dialog').count()) === 0 ? true : undefined));
  }
}

test.each(ROLES)('%s: no screen asks for what is refused, and no button leads there', async (role) => {
  const visit = await signedIn(role);
  const { page } = visit;
  const refused: string[] = [];
  page.on('response', (response) => {
    if (response.status() === 403) refused.push(`${response.request().method()} ${response.url()}`);
  });
  for (const path of SCREENS) {
    await open(visit, path);
    // A verdict would change what the next role sees.
    if (path !== '/review/1') await pressAll(page);
    await page.waitForLoadState('networkidle');
  }
  expect(refused).toEqual([]);
  expect(visit.troubles).toEqual([]);
  await visit.end();
});

test.each(ROLES)('%s: is offered what it may do, and nothing else', async (role) => {
  const visit = await signedIn(role);
  for (const { path, name, roles } of OFFERED) {
    await open(visit, path);
    const main = visit.page.locator('main');
    const found =
      (await main.getByRole('button', { name, exact: true }).count()) +
      (await main.getByRole('link', { name, exact: true }).count());
    expect([path, name, found > 0]).toEqual([path, name, roles.includes(role)]);
  }
  await visit.end();
});

test('a screen that takes another role says which', async () => {
  const visit = await signedIn('read');
  await open(visit, '/keys');
  await visit.page.getByText('This screen needs the role admin.').waitFor();
  await visit.end();
});

test('without a corpus root the form of a schedule does not open, and the page says why', async () => {
  const visit = await signedIn('admin');
  await open(visit, '/schedules');
  const button = visit.page.getByRole('button', { name: 'New schedule' });
  expect(await button.isDisabled()).toBe(true);
  const reason = await button.getAttribute('aria-describedby');
  expect(await visit.page.locator(`[id="${reason}"]`).innerText()).toContain('--corpus-root');
  await visit.end();
});

test('a wrong key is refused in sentences', async () => {
  const visit = await bed.visit();
  await visit.page.goto('/');
  await visit.page.getByLabel('API key').fill('tcs_wrong');
  await visit.page.keyboard.press('Enter');
  const said = await visit.page.locator('.wrong').innerText();
  expect(said).toMatch(/^[A-Z].*[.] [A-Z].*[.]$/s);
  await visit.end();
});

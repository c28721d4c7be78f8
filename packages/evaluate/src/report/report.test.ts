import { expect, test } from 'vitest';
import { drift } from '../drift/drift.js';
import { randomBelow } from '../intervals/sampling.js';
import { type EvaluatedRow, evaluate } from '../measures/evaluate.js';
import { driftReport } from './drift-report.js';
import { evaluationReport } from './evaluation-report.js';

const random = randomBelow(4);
const rows = Array.from({ length: 400 }, (_, i): EvaluatedRow => {
  const label = random(2) === 1 ? 1 : 0;
  const score = (random(700) + 300 * label) / 1000;
  return { key: `row-${i}`, score, label, group: i % 2 === 0 ? '<b>bold</b>' : 'chat' };
});
const evaluationPage = evaluationReport(evaluate(rows, { threshold: 0.5, resamples: 20 }), [
  ['Guard', '"><script>alert(1)</script>'],
]);
const pairs = rows.map(({ key, score, label }) => ({
  key,
  a: score,
  b: (score + random(5) / 1e4) % 1,
  label,
}));
const driftPage = driftReport(drift(pairs, { a: 0.5, b: 0.5 }), pairs, [
  ['A', 'one'],
  ['B', 'other'],
]);

const PAGES = [
  ['evaluation', evaluationPage],
  ['drift', driftPage],
] as const;

/** Void elements. */
const VOID = new Set(['meta', 'br', 'hr', 'img', 'input', 'link']);

test.each(PAGES)('the %s report is well-formed: every element is closed, in order', (_name, page) => {
  const open: string[] = [];
  const markup = page.replace(/<style>[\s\S]*?<\/style>/, '').replace(/^<!doctype html>/, '');
  for (const [, slash, name = '', rest = ''] of markup.matchAll(
    /<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/gi,
  )) {
    if (slash === '/') expect(open.pop()).toBe(name);
    else if (!VOID.has(name) && !rest.endsWith('/')) open.push(name);
  }
  expect(open).toEqual([]);
  expect(markup.match(/&(?!amp;|lt;|gt;|quot;|#39;)/)).toBeNull();
});

test.each(PAGES)('the %s report has no external resources and no scripts', (_name, page) => {
  expect(page).toContain(
    `http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; img-src data:"`,
  );
  // Clipping paths are referenced within the page.
  expect(
    page.match(/<script|<link|<img|<iframe|<object|\son[a-z]+=|@import|url\((?!#)|javascript:/i),
  ).toBeNull();
  // Namespace URLs are names, and not requested.
  const addresses = [...page.matchAll(/\b\w+:\/\/[^"\s<]+/g)].map(([address]) => address);
  expect(new Set(addresses)).toEqual(new Set(['http://www.w3.org/2000/svg', 'http://www.w3.org/1999/xlink']));
});

test.each(PAGES)('the %s report is accessible to screen readers', (_name, page) => {
  expect(page).toContain('<html lang="en">');
  expect(page.match(/<h1>/g)).toHaveLength(1);
  const plots = page.match(/<svg[^>]*>/g) ?? [];
  expect(plots.length).toBeGreaterThanOrEqual(2);
  for (const plot of plots) expect(plot).toMatch(/role="img" aria-label="[^"]{20,}"/);
  expect(page.match(/<table>/g)).toHaveLength(page.match(/<caption>/g)?.length ?? 0);
});

test('plots use the colours of the page, so they follow dark mode', () => {
  const drawn = [...evaluationPage.matchAll(/<svg[\s\S]*?<\/svg>/g)].map(([svg]) => svg).join('');
  const colours = [...drawn.matchAll(/(?:fill|stroke)="([^"]+)"/g)].map(([, colour]) => colour);
  expect(colours.filter((colour) => !/^(none|var\(--[a-z]+\))$/.test(colour ?? ''))).toEqual([]);
});

test('names from the corpus are escaped', () => {
  expect(evaluationPage).toContain('&lt;b&gt;bold&lt;/b&gt;');
  expect(evaluationPage).toContain('&quot;&gt;&lt;script&gt;alert(1)');
});

test('the same evaluation gives the same page, whatever was rendered before', () => {
  const again = (): string => evaluationReport(evaluate(rows, { threshold: 0.5, resamples: 20 }), []);
  expect(again()).toBe(again());
});

test.each([
  ['harmful', 1],
  ['safe', 0],
] as const)('rows that are all %s have a report without NaN', (_name, label) => {
  const some = [0.2, 0.9].map((score, i): EvaluatedRow => ({ key: String(i), score, label }));
  const page = evaluationReport(evaluate(some, { threshold: 0.5, resamples: 20 }), []);
  expect(page.match(/NaN|undefined<|Infinity/)).toBeNull();
  expect(page).toContain(`No row is ${label === 1 ? 'safe' : 'harmful'}`);
});

test('the page of 100,000 rows stays small enough to open', () => {
  const many = Array.from({ length: 100_000 }, (_, i): EvaluatedRow => {
    return { key: String(i), score: random(2 ** 24) / 2 ** 24, label: random(2) === 1 ? 1 : 0 };
  });
  const page = evaluationReport(evaluate(many, { threshold: 0.5, resamples: 0 }), []);
  expect(page.length).toBeLessThan(500_000);
});

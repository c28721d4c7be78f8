import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UserError } from '@tocsin/core';
import { expect, test } from 'vitest';
import { ChatTemplate } from './chat-template.js';
import { renderTrajectory } from './render-trajectory.js';

/** The reference's output for each trajectory (golden/make_rendering.py). */
interface Case {
  template: string;
  messages: string;
  tools: string | null;
  rendered?: string;
  /** The Python error that the reference raised. */
  fails?: string;
}

const GOLDEN = fileURLToPath(new URL('../../golden/', import.meta.url));
const { cases } = JSON.parse(readFileSync(`${GOLDEN}rendering.json`, 'utf8')) as { cases: Case[] };

const templates = new Map(
  [...new Set(cases.map(({ template }) => template))].map((name) => [
    name,
    new ChatTemplate({
      template: readFileSync(`${GOLDEN}templates/${name}.jinja`, 'utf8'),
      specialTokens: { bos_token: '<|begin|>', eos_token: '<|end_of_turn|>' },
    }),
  ]),
);

function render({ template, messages, tools }: Case): string {
  const found = templates.get(template);
  if (found === undefined) throw new Error(`no template ${template}`);
  return renderTrajectory(found, { messages, tools });
}

const told = (each: Case): string => `${each.template}: ${each.messages} ${each.tools}`;
const rendered = cases.filter((each) => each.rendered !== undefined);
const failing = cases.filter((each) => each.fails !== undefined);

test('there are cases of both kinds', () => {
  expect(rendered.length).toBeGreaterThan(60);
  expect(failing.length).toBeGreaterThan(20);
});

test.each(rendered.map((each) => [told(each), each] as const))(
  'rendered as by the reference: %s',
  (_, each) => {
    expect(render(each)).toBe(each.rendered);
  },
);

test.each(failing.map((each) => [told(each), each] as const))(
  'refused, as the reference fails: %s',
  (_, each) => {
    expect(() => render(each)).toThrow(UserError);
  },
);

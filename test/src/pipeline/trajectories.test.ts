import { join } from 'node:path';
import { goldenCases, goldenDirs, goldenTrajectories } from '@tocsin/siren/testing';
import { beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { goldenGuard, readScores, tocsin, writeJsonl } from '../setup/tocsin.js';

/** Invariant 6: float32 tolerance against the reference runtime. */
const TOLERANCE = 1e-4;
const { artifact, backbone } = goldenDirs('qwen3-agent');
const AGENT = ['--guard', artifact, '--backbone', backbone];
const cases = goldenTrajectories();

let dir: string;
let data: string[];
beforeAll(() => {
  dir = scratchDir();
  data = ['--data-dir', join(dir, 'postgres')];
});

test('trajectories go through the whole pipeline to the reference score; what is none is told by file and line', async () => {
  const rows = [
    ...cases.map(({ input }, i) => ({ id: `case-${i}`, ...input })),
    { id: 'text', text: 'Bake bread.' },
    { id: 'both', text: 'Bake bread.', messages: [] },
    {
      id: 'role',
      messages: [
        { role: 'user', content: 'x' },
        { role: 'robot', content: 'x' },
      ],
    },
    { id: 'call', messages: [{ role: 'assistant', tool_calls: [{ name: 'a' }, 7] }] },
    { id: 'tool', messages: [{ role: 'user', content: 'x' }], tools: ['bake'] },
    { id: 'empty', messages: [] },
    { id: 'again', ...cases[1]?.input },
  ];
  const corpus = await writeJsonl(join(dir, 'trajectories.jsonl'), rows);
  const out = join(dir, 'scores.jsonl');
  const ended = await tocsin(['score', corpus, ...AGENT, ...data, '--json', '-o', out]);
  expect(ended).toMatchObject({ exitCode: 2 });
  expect(JSON.parse(String(ended.stdout))).toMatchObject({
    rows: 11,
    scored: 5,
    fresh: 4,
    duplicates: 1,
    rejected: 6,
  });

  const scores = await readScores(out);
  expect(scores.map(({ key }) => key)).toEqual(rows.map(({ id }) => id));
  for (const [i, each] of [...cases, ...cases.slice(1, 2)].entries()) {
    const line = scores[i < cases.length ? i : scores.length - 1];
    expect(Math.abs((line?.score ?? Number.NaN) - each.score)).toBeLessThanOrEqual(TOLERANCE);
    expect(line).toMatchObject({ tokens: each.tokenIds.length, truncated: each.tokenIds.length === 256 });
  }
  expect(scores.slice(cases.length, -1).map(({ error }) => error)).toEqual([
    `${corpus}, line 5: A trajectory guard scores messages (and tools), not a text.`,
    `${corpus}, line 6: The row has both "messages" and "text"; only one of them was expected.`,
    `${corpus}, line 7: Message 1 has the role "robot"; system, developer, user, assistant, tool, function or environment was expected.`,
    `${corpus}, line 8: Message 0: tool_calls[1] is a number; an object was expected.`,
    `${corpus}, line 9: Tool 0 is a string; an object was expected.`,
    `${corpus}, line 10: The trajectory is empty: it has neither messages nor tools.`,
  ]);
});

test('fields may have other names', async () => {
  const [first] = cases;
  const row = {
    id: 'a',
    chat: first?.input.messages,
    functions: first?.input.tools,
    messages: 'no',
    tools: 7,
  };
  const corpus = await writeJsonl(join(dir, 'named.jsonl'), [row]);
  const out = join(dir, 'named-scores.jsonl');
  const fields = ['--messages-field', 'chat', '--tools-field', 'functions'];
  const ended = await tocsin(['score', corpus, ...AGENT, ...data, ...fields, '-o', out]);
  expect(ended).toMatchObject({ exitCode: 0 });
  const [line] = await readScores(out);
  expect(Math.abs((line?.score ?? Number.NaN) - (first?.score ?? 0))).toBeLessThanOrEqual(TOLERANCE);
});

test('a content guard scores the texts of a mixed corpus, and says of the trajectories that they are none', async () => {
  const [text] = goldenCases('qwen3-residual');
  const corpus = await writeJsonl(join(dir, 'mixed.jsonl'), [
    { id: 'trajectory', ...cases[1]?.input },
    { id: 'text', ...text?.input },
  ]);
  const out = join(dir, 'mixed-scores.jsonl');
  const ended = await tocsin(['score', corpus, ...goldenGuard('qwen3-residual'), ...data, '-o', out]);
  expect(ended).toMatchObject({ exitCode: 2 });
  const [refused, scored] = await readScores(out);
  expect(refused?.error).toBe(
    `${corpus}, line 1: A content guard scores texts, not trajectories: messages were given.`,
  );
  expect(Math.abs((scored?.score ?? Number.NaN) - (text?.score ?? 0))).toBeLessThanOrEqual(TOLERANCE);
});

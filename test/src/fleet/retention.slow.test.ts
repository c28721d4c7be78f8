import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goldenGuard, parseLines } from '../setup/tocsin.js';
import { Fleet, GUARD } from './fleet.js';

/** NUL, emoji, line breaks of every kind, quotes; a prompt with its response; an invalid row. */
const ROWS = [
  { id: 'nul', text: 'tea\0bread \\ "garden" {letter,river}' },
  { id: 'emoji', text: 'music 😀 window 👩‍👩‍👧 \u2028 slow\r\nbright' },
  { id: 'pair', prompt: 'paper lamp?', response: 'stone hill' },
  { id: 'plain', text: 'morning quiet dog' },
  { id: 'reject', text: 7 },
];
const contentOf = ({ id: _, ...content }: (typeof ROWS)[number]): unknown => content;

let fleet: Fleet;
/** A threshold that two of the four rows reach, and their keys. */
let threshold: number;
let flagged: string[];
beforeAll(async () => {
  fleet = await Fleet.open();
  const scored = await fleet.run(['score', await fleet.corpus(ROWS), ...goldenGuard(GUARD)]);
  expect(scored.exitCode, scored.stderr).toBe(2);
  const byScore = parseLines(scored.stdout)
    .filter(({ score }) => score !== undefined)
    .sort((a, b) => (b.score ?? 0) - (a.score ?? 0));
  threshold = byScore[1]?.score ?? Number.NaN;
  flagged = byScore.slice(0, 2).map(({ key }) => key);
});
afterAll(() => fleet.close());

async function textsOf(runId: number): Promise<Record<string, unknown>> {
  const rows = await fleet.ask<{ key: string; json: string }>(
    `select i.key, t.json from item_texts t join items i on i.run_id = t.run_id and i.seq = t.seq
     where t.run_id = $1 order by t.seq`,
    [runId],
  );
  return Object.fromEntries(rows.map(({ key, json }) => [key, JSON.parse(json) as unknown]));
}

const contentsOf = (keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(ROWS.filter(({ id }) => keys.includes(id)).map((row) => [row.id, contentOf(row)]));

const ITEMS = ['nul', 'emoji', 'pair', 'plain'];

describe.each(['score', 'submit'])('tocsin %s', (command) => {
  test.each([
    ['none', () => []],
    ['flagged', () => flagged],
    ['all', () => ITEMS],
  ] as const)('--retain %s', async (retain, keys) => {
    const corpus = await fleet.corpus(ROWS);
    const args = [corpus, ...goldenGuard(GUARD), '--retain', retain, '--threshold', String(threshold)];
    const out = command === 'score' ? ['-o', `${fleet.dir}/out.jsonl`] : [];
    const ended = await fleet.run([command, ...args, ...out]);
    expect(ended.exitCode, ended.stderr).toBe(2);
    const [run] = await fleet.ask<{ id: number }>('select max(id) as id from runs');
    const runId = run?.id ?? 0;
    expect(await fleet.shown(runId)).toMatchObject({ state: 'done', rows: 5, flagged: 2, rejected: 1 });
    expect(await textsOf(runId)).toEqual(contentsOf(keys()));
    // The output of commands contains no texts.
    for (const text of ['garden', 'window', 'lamp', 'morning']) expect(ended.stderr).not.toContain(text);
  });
});

test('an export may have the texts that were retained, as JSON Lines', async () => {
  const corpus = await fleet.corpus(ROWS.slice(0, 4));
  const runId = await fleet.submit(corpus, ['--threshold', String(threshold)]);
  const rows = (await fleet.exported(runId, ['--with-text'])) as { key: string; item?: unknown }[];
  const items = rows.flatMap(({ key, item }) => (item === undefined ? [] : [[key, item]]));
  expect(Object.fromEntries(items)).toEqual(contentsOf(flagged));
  const csv = await fleet.run(['export', String(runId), '--with-text', '-o', `${fleet.dir}/scores.csv`]);
  expect(csv.exitCode).toBe(1);
  expect(csv.stderr).toMatch(/--with-text is for JSON Lines/);
});

describe('tocsin runs purge', () => {
  const newRun = async (): Promise<number> => {
    const corpus = await fleet.corpus(ROWS.slice(0, 4));
    return fleet.submit(corpus, ['--retain', 'all']);
  };

  test('says what it would delete, and deletes it when it is told so', async () => {
    const runId = await newRun();
    const asked = await fleet.run(['purge', '--run', String(runId), '--texts']);
    expect(asked.exitCode).toBe(1);
    expect(asked.stderr).toBe(`tocsin: the texts of run ${runId} would be deleted\nAdd --yes to do it.\n`);
    expect(Object.keys(await textsOf(runId))).toEqual(ITEMS);

    const done = await fleet.run(['purge', '--run', String(runId), '--texts', '--yes']);
    expect(String(done.stdout)).toBe('Deleted: 4 texts.\n');
    expect(await textsOf(runId)).toEqual({});
    expect((await fleet.exported(runId)).length).toBe(4);

    const whole = await fleet.run(['purge', '--run', String(runId), '--yes']);
    expect(String(whole.stdout)).toBe('Deleted: 1 runs with 4 rows.\n');
    const gone = await fleet.run(['run', String(runId)]);
    expect(gone).toMatchObject({ exitCode: 1 });
    expect(gone.stderr).toMatch(/there is no run \d+\n`tocsin runs` lists/);
  });

  test('by age; scores go only when they are asked for', async () => {
    const runId = await newRun();
    await fleet.ask(`update runs set finished_at = now() - interval '31 days' where id <> $1`, [runId]);
    // As left by a killed client.
    await fleet.ask(
      `insert into parcels (guard_id, contents, tokens, created_at)
       select id, 1, 1, now() - age from guards, (values (interval '31 days'), (interval '1 day')) as kept (age)`,
    );
    const asked = await fleet.run(['purge', '--older-than', '30d']);
    expect(asked.stderr).toMatch(
      /^tocsin: the rows and texts of .*, and the files of the API and the tokens of single rows .* would be deleted/,
    );
    const old = await fleet.run(['purge', '--older-than', '30d', '--yes']);
    expect(String(old.stdout)).toMatch(/^Deleted: \d+ runs with \d+ rows, 1 parcels of single rows\.\n$/);
    expect(await fleet.ask('select count(*) as kept from parcels where run_id is null')).toEqual([
      { kept: 1 },
    ]);
    const none = await fleet.run(['purge', '--older-than', '300d', '--yes']);
    expect(String(none.stdout)).toBe('Nothing is so old: there is nothing to be deleted.\n');
    expect(await fleet.ask('select id from runs')).toEqual([{ id: runId }]);
    expect(await fleet.ask('select count(score) as scores from scores')).toEqual([{ scores: 4 }]);
    const all = await fleet.run(['purge', '--run', String(runId), '--scores', '--yes']);
    expect(String(all.stdout)).toBe('Deleted: 1 runs with 4 rows, 4 scores.\n');
    expect(await fleet.ask('select count(*) as scores from scores')).toEqual([{ scores: 0 }]);
  });

  test.each([
    [[], /which runs\?/],
    [['--run', '1', '--older-than', '1d'], /which runs\?/],
    [['--run', '0'], /Expected the id of a run/],
    [['--older-than', '30'], /Expected a number and a unit/],
    [['--run', '1', '--texts', '--scores'], /cannot be used with/],
  ])('%j is refused', async (args, message) => {
    const ended = await fleet.run(['purge', ...args]);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(message);
  });
});

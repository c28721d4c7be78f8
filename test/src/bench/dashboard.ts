import { join } from 'node:path';
import { createPool, type Pool, startEmbedded } from '@tocsin/postgres';
import {
  compareRuns,
  countByScore,
  createRun,
  findRun,
  itemsBySeq,
  migrateSchema,
  nextReview,
  pageItems,
  pageRuns,
  prepareRuns,
  previewThreshold,
  type Run,
  rankRun,
  registerGuard,
} from '@tocsin/store';
import { line, median, seconds, section, times } from './report.js';

const ROWS = 1_000_000;
const REPEATS = 15;
const BINS = 50;
const PAGE = 50;

/** Response times of the dashboard's queries on a finished run of a million rows with texts. */
export async function benchDashboard(dir: string): Promise<void> {
  section(`Dashboard: a run of ${ROWS.toLocaleString('en-US')} scores, embedded PostgreSQL`);
  const server = await startEmbedded({ dataDir: join(dir, 'dashboard-postgres') });
  const pool = createPool(server.url, { applicationName: 'tocsin bench' });
  try {
    await migrateSchema(pool);
    const run = await storeRun(pool);
    await measure(pool, run);
  } finally {
    await pool.end();
    await server.stop();
  }
}

async function measure(pool: Pool, run: Run): Promise<void> {
  const [ranked, indexed] = [await once(() => rankRun(pool, run.id)), await once(() => prepareRuns(pool))];
  line('ranking, once, when the run is over', seconds(ranked));
  line('texts into the search, once, in the background', seconds(indexed));
  const { rows } = await pool.query<{ ranking: number; items: number }>(
    `select pg_total_relation_size('ranking_chunks') as ranking,
            pg_total_relation_size('items') + pg_total_relation_size('scores') as items`,
  );
  const [size] = rows;
  if (size !== undefined) {
    line('size of the ranking', `${(size.ranking / ROWS).toFixed(1)} bytes/row`);
    line('  of what its rows and scores take', `${((100 * size.ranking) / size.items).toFixed(1)} %`);
  }

  const edges = Array.from({ length: BINS + 1 }, (_, i) => i / BINS);
  const histogram = await often(() => countByScore(pool, run.id, edges));
  line(`histogram, ${BINS} bins`, milliseconds(histogram), '<= 200 ms');
  const unranked = await once(() => histogramOfItems(pool, run));
  line('  the same from items and scores', `${seconds(unranked)}, ${times(unranked / histogram, 0)}`);

  let after = (await pageItems(pool, run, { order: 'score_desc', limit: PAGE, min: 0.5 })).next;
  const flagged = await often(async () => {
    const page = await pageItems(pool, run, {
      order: 'score_desc',
      limit: PAGE,
      min: 0.5,
      texts: true,
      ...(after !== null && { after }),
    });
    after = page.next;
  });
  line(`flagged page, ${PAGE} rows with texts`, milliseconds(flagged), '<= 100 ms');
  const preview = await often(async () => {
    const { examples } = await previewThreshold(pool, run.id, { from: 0.5, to: 0.4, examples: 10 });
    await itemsBySeq(
      pool,
      run,
      examples.map(({ seq }) => seq),
      { texts: true },
    );
  });
  line('threshold preview, 10 examples with texts', milliseconds(preview), '<= 300 ms');

  const search = (words: string, order: 'score_desc' | 'seq') =>
    often(() => pageItems(pool, run, { order, limit: PAGE, search: words, texts: true }));
  line('search, 1 match, by score', milliseconds(await search('777777', 'score_desc')));
  line('search, 4,000 matches, by score', milliseconds(await search('harbour', 'score_desc')));
  line('search, every row matches, by score', milliseconds(await search('message', 'score_desc')));
  line('search, no match', milliseconds(await search('absent', 'score_desc')));
  line('list of runs', milliseconds(await often(() => pageRuns(pool, { limit: 50 }))));
  const before = await storeAgain(pool, run);
  await rankRun(pool, before);
  const compared = await once(() =>
    compareRuns(pool, { now: run.id, before }, { threshold: 0.5, examples: 10 }),
  );
  line('comparison with a run of as many rows', seconds(compared));
  let reviewer = 0;
  for (const order of ['uncertain', 'score', 'random'] as const) {
    const next = () => nextReview(pool, run, { reviewer: `r${reviewer++}`, order, threshold: 0.5 });
    line(`next row to review, ${order}`, milliseconds(await often(next)));
  }
}

/** Created in SQL, because only reads are measured. One row in twelve is flagged. */
async function storeRun(pool: Pool): Promise<Run> {
  const { id: guardId } = await registerGuard(pool, 'f'.repeat(64), 'bench');
  const runId = await createRun(pool, guardId, 'messages.jsonl', { threshold: 0.5, retain: 'all' });
  await pool.query(
    `insert into items (run_id, seq, key, content)
     select $1, n, 'r' || n, sha256(n::text::bytea) from generate_series(1, $2::int) n`,
    [runId, ROWS],
  );
  await pool.query('select setseed(0.5)');
  await pool.query(
    `insert into scores (guard_id, content, parcel_id, tokens, score)
     select $1, sha256(n::text::bytea), 0, 12,
            case when random() < 0.92 then 0.5 * random() ^ 6 else 1 - 0.6 * random() ^ 3 end
     from generate_series(1, $2::int) n`,
    [guardId, ROWS],
  );
  await pool.query(
    `insert into item_texts (run_id, seq, json)
     select $1, n, json_build_object('text', 'message ' || n || ': see you at ' || n % 24 || ' o''clock'
                                     || case when n % 250 = 0 then ' by the harbour' else '' end)::text
     from generate_series(1, $2::int) n`,
    [runId, ROWS],
  );
  await pool.query(
    `update runs set state = 'done', rows = $2, fresh = $2, finished_at = now() where id = $1`,
    [runId, ROWS],
  );
  await pool.query('vacuum analyze');
  const run = await findRun(pool, runId);
  if (run === undefined) throw new Error('the run is gone');
  return run;
}

/** The same contents again, as yesterday's run. */
async function storeAgain(pool: Pool, { id, guardId }: Run): Promise<number> {
  const runId = await createRun(pool, guardId, 'messages.jsonl', { threshold: 0.5 });
  await pool.query(
    'insert into items (run_id, seq, key, content) select $1, seq, key, content from items where run_id = $2',
    [runId, id],
  );
  await pool.query('vacuum analyze items');
  return runId;
}

async function histogramOfItems(pool: Pool, run: Run): Promise<void> {
  await pool.query(
    `select width_bucket(s.score, 0, 1, $3) as bin, count(*)
     from items i join scores s on s.guard_id = $2 and s.content = i.content
     where i.run_id = $1 group by 1`,
    [run.id, run.guardId, BINS],
  );
}

async function once(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function often(work: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < REPEATS; i++) taken.push(await once(work));
  return median(taken);
}

const milliseconds = (ms: number): string => `${ms.toFixed(1)} ms`;

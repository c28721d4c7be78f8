import { createPool, type Pool } from '@tocsin/postgres';
import type pg from 'pg';

/** Rows processed by the plans of a statement: output of each node, plus removed rows. */
export type PlanWork = Map<string, number>;

interface PlanNode {
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  Plans?: PlanNode[];
  [removed: string]: unknown;
}

/** Every connection receives the plan of each of its statements. The role must be a superuser. */
const EXPLAIN = [
  'session_preload_libraries=auto_explain',
  'auto_explain.log_min_duration=0',
  'auto_explain.log_analyze=on',
  'auto_explain.log_timing=off',
  'auto_explain.log_format=json',
  'auto_explain.log_level=notice',
];

/** A pool that sums up the work of its statements. */
export function watchedPool(databaseUrl: string): { pool: Pool; work: PlanWork } {
  const url = new URL(databaseUrl);
  url.searchParams.set('options', EXPLAIN.map((setting) => `-c ${setting}`).join(' '));
  const pool = createPool(url.href, { applicationName: 'tocsin test', max: 2 });
  const work: PlanWork = new Map();
  pool.on('connect', (client: pg.PoolClient) => {
    client.on('notice', ({ message }) => {
      const [, json] = /^duration: .*? plan:\s*(\{.*\})\s*$/s.exec(message ?? '') ?? [];
      if (json === undefined) return;
      const { 'Query Text': text, Plan } = JSON.parse(json) as { 'Query Text': string; Plan: PlanNode };
      const statement = text.replace(/\s+/g, ' ').trim();
      work.set(statement, (work.get(statement) ?? 0) + rowsOf(Plan));
    });
  });
  return { pool, work };
}

function rowsOf(node: PlanNode): number {
  const loops = node['Actual Loops'] ?? 0;
  const removed = Object.entries(node)
    .filter(([name]) => name.startsWith('Rows Removed by'))
    .reduce((sum, [, rows]) => sum + Number(rows), 0);
  // A look-up without a result is work, too.
  const own = ((node['Actual Rows'] ?? 0) + removed + 1) * loops;
  return (node.Plans ?? []).reduce((sum, plan) => sum + rowsOf(plan), own);
}

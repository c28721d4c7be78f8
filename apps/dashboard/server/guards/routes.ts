import { type Guard, guard, guardList, guardParams } from '@tocsin/contract';
import { type GuardRow, listGuards } from '@tocsin/store';
import type { App, Services } from '../app.js';
import { notFound } from '../http/api-error.js';

const tags = ['guards'];

/** Served guards, and guards that only have stored scores. */
export function guardRoutes(app: App, { pool, guards }: Services): void {
  app.get(
    '/guards',
    {
      config: { needs: 'look' },
      schema: { tags, summary: 'Guards, those that are served first', response: { 200: guardList } },
    },
    async () => {
      const known = (await listGuards(pool)).map(answerOf);
      return { data: known.sort((a, b) => rankOf(a) - rankOf(b)) };
    },
  );

  app.get(
    '/guards/:fingerprint',
    {
      config: { needs: 'look' },
      schema: { tags, summary: 'One guard', params: guardParams, response: { 200: guard } },
    },
    async (request) => {
      const { fingerprint } = request.params;
      const found = (await listGuards(pool)).find((row) => row.fingerprint === fingerprint);
      if (found === undefined) throw notFound(`guard ${fingerprint}`);
      return answerOf(found);
    },
  );

  /** Served guards in their configured order, then the others. */
  function rankOf({ fingerprint }: Guard): number {
    const index = guards.all.findIndex(({ open }) => open.fingerprint === fingerprint);
    return index === -1 ? guards.all.length : index;
  }

  function answerOf({ ref, fingerprint, createdAt, runs, waitingParcels }: GuardRow): Guard {
    const served = guards.all.find(({ open }) => open.fingerprint === fingerprint);
    const artifact = served?.open.artifact;
    return {
      ref: served?.name ?? ref,
      fingerprint,
      served: served !== undefined,
      default: served === guards.default,
      task: artifact?.task ?? null,
      backbone: artifact?.baseModel.modelId ?? null,
      defaultThreshold: artifact?.defaultThreshold ?? null,
      maxLength: artifact?.maxLength ?? null,
      precision: served?.open.precision ?? null,
      createdAt: createdAt.toISOString(),
      runs,
      waitingParcels,
    };
  }
}

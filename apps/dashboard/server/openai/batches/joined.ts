import type { ExportRow } from '@tocsin/store';
import type { RequestRow } from './batch-requests.js';

export interface JoinedRow {
  request: RequestRow;
  /** Undefined for what the run did not come to. */
  row: ExportRow | undefined;
}

/** The texts of a file beside the rows of the run that it became, in their order, some at a time. */
export async function* joined(
  requests: AsyncIterable<RequestRow[]>,
  pages: AsyncIterable<ExportRow[]>,
): AsyncGenerator<JoinedRow[]> {
  const rows = oneByOne(pages);
  try {
    for await (const chunk of requests) {
      const joint: JoinedRow[] = [];
      for (const request of chunk) {
        const { value: row } = await rows.next();
        if (row !== undefined && row.seq !== request.row.seq) {
          throw new Error(`row ${row.seq} of the run stands beside row ${request.row.seq} of its file`);
        }
        joint.push({ request, row });
      }
      yield joint;
    }
  } finally {
    await rows.return(undefined);
  }
}

async function* oneByOne(pages: AsyncIterable<ExportRow[]>): AsyncGenerator<ExportRow, undefined, undefined> {
  for await (const page of pages) yield* page;
}

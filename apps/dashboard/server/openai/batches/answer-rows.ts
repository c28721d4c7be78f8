import type { RequestAnswer, RequestFault, ScoreRow } from '@tocsin/corpus';
import type { ExportRow } from '@tocsin/store';
import type { RequestRow } from './batch-requests.js';

/** Error code of a request that was not attempted, as in OpenAI's API. */
export type Unanswered = 'batch_expired' | 'batch_cancelled';

const MESSAGE_OF = {
  batch_expired: 'This request could not be executed before the completion window expired.',
  batch_cancelled: 'This request was not executed: the batch was cancelled.',
} as const satisfies Record<Unanswered, string>;

/**
 * The outcome of a text, for the batch file writer.
 * @param row undefined when the run was cancelled before this text
 */
export function answerRow(request: RequestRow, row: ExportRow | undefined, unanswered: Unanswered): ScoreRow {
  const { key } = request.row;
  if (request.row.kind === 'reject' || row?.reject) {
    const error = row?.reject ?? (request.row.kind === 'reject' ? request.row.reason : '');
    // The guard rejected the text, e.g. because it is empty.
    const fault = request.fault ?? { message: error, status: 400, code: 'invalid_value', param: 'input' };
    return { key, error, unreadable: true, answer: failure(request, fault) };
  }
  if (row === undefined || (row.score === null && row.error === null)) {
    const message = MESSAGE_OF[unanswered];
    return {
      key,
      error: message,
      answer: failure(request, { message, status: null, code: unanswered, param: null }),
    };
  }
  if (row.score === null || request.model === undefined) {
    const message = row.error ?? 'no score was stored';
    return {
      key,
      error: message,
      answer: failure(request, { message, status: 500, code: 'no_score', param: null }),
    };
  }
  const { name: model, threshold } = request.model;
  const { score, truncated } = row;
  return { key, score, harmful: score >= threshold, threshold, truncated, answer: { model } };
}

function failure({ nameless, row }: RequestRow, fault: RequestFault): RequestAnswer {
  return { fault, ...(nameless && { line: row.line }) };
}

export interface JoinedRow {
  request: RequestRow;
  /** Undefined for texts that the run did not reach. */
  row: ExportRow | undefined;
}

/** Joins the texts of a file with the rows of its run in order, a few at a time. */
export async function* zipRows(
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
          throw new Error(`row ${row.seq} of the run does not match row ${request.row.seq} of its file`);
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

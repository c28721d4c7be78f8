import { faultOf, keptOf, type ParsedRow } from '../rows/parse-row.js';
import { rejection } from '../rows/reject.js';
import { MAX_KEY_LENGTH, rowKey } from '../rows/row-key.js';
import { typeName } from '../rows/wording.js';
import { own, type SourceRecord } from '../sources/source-record.js';
import { type InputText, moderationTexts } from './moderation-input.js';
import {
  badRequest,
  noRequest,
  type RequestFault,
  readRequestKey,
  requestKey,
  storedFault,
} from './request.js';
import type { Shape } from './shape.js';

const MODERATIONS_URL = '/v1/moderations';

/**
 * Each record is a request of an OpenAI Batch file to `/v1/moderations`. Each text of its input is a row: one for a string
 * or for text parts (joined with line feeds), or one per string of an array (numbered in the key, see `requestKey`).
 */
export const openaiBatch: Shape = {
  expected: () => 'a request (a JSON object with "custom_id", "url" and "body") was expected',
  columns: () => ['custom_id', 'method', 'url', 'body'],
  contentColumns: () => ['custom_id', 'url', 'body'],
  textColumns: () => [],
  jsonColumns: () => ['body'],
  rows(record, _fields, keep) {
    const kept = keptOf(record, keep);
    const id = rowKey(own(record.fields, 'custom_id'), () => record.json('custom_id'), 'custom_id');
    const reject = (key: string | undefined, fault: RequestFault): ParsedRow[] => [
      { key, ...rejection('request', storedFault(fault)), fault, ...kept },
    ];
    const nameless = (message: string, code: string): ParsedRow[] =>
      reject(undefined, noRequest(message, code, 'custom_id'));
    if ('reason' in id) return nameless(id.reason, 'invalid_value');
    const { key: customId } = id;
    if (customId === undefined)
      return nameless('The request has no "custom_id".', 'missing_required_parameter');
    const texts = readInput(record);
    if (!Array.isArray(texts)) return reject(requestKey({ customId, index: undefined, count: 1 }), texts);
    const keys = texts.map(({ single }, i) =>
      requestKey({ customId, index: texts.length === 1 && single ? undefined : i, count: texts.length }),
    );
    if (keys.some((key) => key.length > MAX_KEY_LENGTH))
      return nameless('The "custom_id" is too long.', 'string_above_max_length');
    return texts.map(({ text }, i): ParsedRow => ({ key: keys[i], content: { text }, ...kept }));
  },
};

/** The texts of a request, or why it is invalid. */
function readInput(record: SourceRecord): InputText[] | RequestFault {
  const { fields } = record;
  const url = own(fields, 'url');
  if (url !== MODERATIONS_URL) {
    const found = typeof url === 'string' ? 'another one' : typeName(url ?? null);
    return noRequest(
      `The request's "url" is ${found}; "${MODERATIONS_URL}" was expected.`,
      'url_mismatch',
      'url',
    );
  }
  const method = own(fields, 'method');
  if (method !== undefined && method !== null && method !== 'POST') {
    return noRequest(`The request's "method" is not "POST".`, 'invalid_method', 'method');
  }
  const unusable = faultOf(record, 'body');
  if (unusable !== undefined) return noRequest(unusable.reason, 'invalid_value', 'body');
  const body = own(fields, 'body');
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    const message = `The request's "body" is ${typeName(body ?? null)}; an object was expected.`;
    return badRequest(message, 'invalid_type', 'body');
  }
  return moderationTexts(own(body, 'input'));
}

/** The request ids of a corpus so far: a duplicate id cannot be answered. */
export class CustomIds {
  readonly #seen = new Set<string>();

  /** The rows of a request, or one reject when an earlier request has its `custom_id`. */
  unrepeated(rows: ParsedRow[]): ParsedRow[] {
    const [first] = rows;
    const { customId } = readRequestKey(first?.key ?? 'line:0');
    if (first === undefined || customId === null) return rows;
    if (!this.#seen.has(customId)) {
      this.#seen.add(customId);
      return rows;
    }
    const fault = noRequest(
      'The "custom_id" stands in an earlier request too.',
      'duplicate_custom_id',
      'custom_id',
    );
    const key = requestKey({ customId, index: undefined, count: 1 });
    const kept = first.kept === undefined ? {} : { kept: first.kept };
    return [{ key, ...rejection('request', storedFault(fault)), fault, ...kept }];
  }
}

import { faultOf, keptOf, type ParsedRow } from '../rows/parse-row.js';
import { MAX_KEY_LENGTH, rejection, rowKey } from '../rows/row.js';
import { own, type SourceRecord } from '../rows/source-record.js';
import { typeName } from '../rows/wording.js';
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

/** A text of an input; `single` unless the input was an array of texts. */
export interface InputText {
  text: string;
  single: boolean;
}

const EXPECTED = 'a string, an array of strings or text parts were expected';

/**
 * The texts of a moderation request's `input`, or why it is invalid: a string is one text, an array of strings several,
 * and an array of text parts one text (joined with line feeds).
 */
export function moderationTexts(input: unknown): InputText[] | RequestFault {
  const texts = textsOf(input);
  if (!Array.isArray(texts)) return texts;
  const broken = texts.some(({ text }) => !text.isWellFormed());
  if (!broken) return texts;
  return badRequest(
    'The "input" holds half of a surrogate pair, which is no character.',
    'invalid_value',
    'input',
  );
}

function textsOf(input: unknown): InputText[] | RequestFault {
  if (typeof input === 'string') return [{ text: input, single: true }];
  if (input === undefined || input === null) {
    return badRequest(`The "input" is null; ${EXPECTED}.`, 'missing_required_parameter', 'input');
  }
  if (!Array.isArray(input)) {
    return badRequest(`The "input" is ${typeName(input)}; ${EXPECTED}.`, 'invalid_type', 'input');
  }
  if (input.length === 0) return badRequest(`The "input" is empty; ${EXPECTED}.`, 'empty_array', 'input');
  if (input.every((one) => typeof one === 'string')) return input.map((text) => ({ text, single: false }));
  const parts: string[] = [];
  for (const [i, part] of input.entries()) {
    const text = partText(part, `input[${i}]`);
    if (typeof text !== 'string') return text;
    parts.push(text);
  }
  return [{ text: parts.join('\n'), single: true }];
}

function partText(part: unknown, param: string): string | RequestFault {
  if (typeof part !== 'object' || part === null) {
    return badRequest(`"${param}" is ${typeName(part)}; ${EXPECTED}.`, 'invalid_type', param);
  }
  if (own(part, 'type') === 'image_url') {
    return badRequest(`"${param}" is an image, and only texts can be scored.`, 'unsupported_value', param);
  }
  const text = own(part, 'text');
  if (own(part, 'type') === 'text' && typeof text === 'string') return text;
  return badRequest(`"${param}" is no text part; ${EXPECTED}.`, 'invalid_value', param);
}

import { faultOf, keptOf, type ParsedRow } from '../parse-row.js';
import { MAX_KEY_LENGTH, rowKey } from '../row-key.js';
import { own, type SourceRecord } from '../source-record.js';
import { typeName } from '../wording.js';
import { requestKey } from './request-key.js';
import type { Shape } from './shape.js';

export const MODERATIONS_URL = '/v1/moderations';

/**
 * A record is a request of an OpenAI Batch file to `/v1/moderations`. Each text of its input is a row: one for a string or
 * for text parts (joined with line feeds), one for each string of an array (the key then says which: `requestKey`).
 */
export const openaiBatch: Shape = {
  expected: () => 'a request (a JSON object with "custom_id", "url" and "body") was expected',
  columns: () => ['custom_id', 'method', 'url', 'body'],
  textColumns: () => [],
  jsonColumns: () => ['body'],
  rows(record, _fields, keep) {
    const kept = keptOf(record, keep);
    const id = rowKey(own(record.fields, 'custom_id'), () => record.json('custom_id'), 'custom_id');
    if ('fault' in id) return [{ key: undefined, reason: id.fault, ...kept }];
    const { key: customId } = id;
    if (customId === undefined) {
      return [{ key: undefined, reason: 'The request has no "custom_id".', ...kept }];
    }
    const texts = readInput(record);
    const whole = requestKey({ customId, index: undefined, count: 1 });
    if (typeof texts === 'string') return [{ key: whole, reason: texts, ...kept }];
    return texts.map((part, i): ParsedRow => {
      const key =
        texts.length === 1 && part.single ? whole : requestKey({ customId, index: i, count: texts.length });
      if (key.length > MAX_KEY_LENGTH)
        return { key: undefined, reason: 'The "custom_id" is too long.', ...kept };
      return { key, content: { text: part.text }, ...kept };
    });
  },
};

/** A text of an input; `single` when the input was no array of texts. */
interface InputText {
  text: string;
  single: boolean;
}

/** The texts of a request, or the reason why there are none. */
function readInput(record: SourceRecord): InputText[] | string {
  const { fields } = record;
  const url = own(fields, 'url');
  if (url !== MODERATIONS_URL) {
    const found = typeof url === 'string' ? 'another one' : typeName(url ?? null);
    return `The request's "url" is ${found}; "${MODERATIONS_URL}" was expected.`;
  }
  const method = own(fields, 'method');
  if (method !== undefined && method !== null && method !== 'POST') {
    return `The request's "method" is not "POST".`;
  }
  const fault = faultOf(record, 'body');
  if (fault !== undefined) return fault;
  const body = own(fields, 'body');
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return `The request's "body" is ${typeName(body ?? null)}; an object was expected.`;
  }
  const input = own(body, 'input');
  const texts = textsOf(input);
  if (typeof texts === 'string') return texts;
  const broken = texts.some(({ text }) => !text.isWellFormed());
  return broken ? 'The "input" holds half of a surrogate pair, which is no character.' : texts;
}

function textsOf(input: unknown): InputText[] | string {
  if (typeof input === 'string') return [{ text: input, single: true }];
  const expected = 'a string, an array of strings or text parts were expected';
  if (!Array.isArray(input)) return `The "input" is ${typeName(input ?? null)}; ${expected}.`;
  if (input.length === 0) return `The "input" is empty; ${expected}.`;
  if (input.every((one) => typeof one === 'string')) return input.map((text) => ({ text, single: false }));
  const parts: string[] = [];
  for (const [i, part] of input.entries()) {
    if (typeof part !== 'object' || part === null) return `"input[${i}]" is ${typeName(part)}; ${expected}.`;
    if (own(part, 'type') === 'image_url') return `"input[${i}]" is an image, and only texts can be scored.`;
    const text = own(part, 'text');
    if (own(part, 'type') !== 'text' || typeof text !== 'string')
      return `"input[${i}]" is no text part; ${expected}.`;
    parts.push(text);
  }
  return [{ text: parts.join('\n'), single: true }];
}

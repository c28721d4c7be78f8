import { typeName } from '../rows/wording.js';
import { own } from '../sources/source-record.js';
import { badRequest, type RequestFault } from './request.js';

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

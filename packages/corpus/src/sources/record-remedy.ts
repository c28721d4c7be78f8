import type { FieldLookup } from '../rows/fields.js';
import { own } from '../rows/source-record.js';
import { printable } from '../rows/wording.js';

/** Common names of prompt and response fields. */
const ASKED = /^(prompt|instruction|question|query|user_?input|user|human|input)(_text)?$/i;
const ANSWERED =
  /^(response|completion|output|answer|model_?output|reply|generation|continuation|assistant|chosen|response_a)(_text)?$/i;
const TEXT =
  /text|content|message|body|comment|tweet|post|sentence|utterance|transcript|prompt|question|instruction|input/i;
/** A dialogue in a single text, as in Anthropic's data sets. */
const DIALOGUE = /\n\nHuman: ?[\s\S]*\n\nAssistant: ?/;
/** Depth to which nested fields are searched. */
const MAX_DEPTH = 4;

type Fields = Readonly<Record<string, unknown>>;

/** The option or command for records without a known field, by what they most likely are. */
export function recordRemedy(fields: Fields, lookup: FieldLookup): string {
  return (
    chatRemedy(fields, lookup) ??
    dataFrameRemedy(fields) ??
    listRemedy(fields) ??
    dialogueRemedy(fields) ??
    pairRemedy(fields) ??
    textFieldRemedy(fields)
  );
}

/** The remedy for a field with the wrong type; undefined without one. */
export function valueRemedy(fields: Fields, lookup: FieldLookup): string | undefined {
  const frame = dataFrameRemedy(fields);
  if (frame !== undefined) return frame;
  const id = lookup.id === undefined ? undefined : own(fields, lookup.id);
  if (lookup.id !== undefined && isObject(id)) {
    const [name] = Object.keys(id);
    const other = 'another field for the keys, --id-field NAME, or line numbers: --id-field none.';
    return name !== undefined && typeof own(id, name) === 'string'
      ? `Extract its value: jq -c '${path([lookup.id])} |= ${path([name])}' FILE | tocsin score -. Or use ${other}`
      : `Use ${other}`;
  }
  const chat = chatRemedy(fields, lookup);
  if (chat !== undefined) return chat;
  const isExchange = [own(fields, 'request'), own(fields, 'response'), own(fields, 'body')].some(isObject);
  if (
    isExchange &&
    Object.keys(fields).some((name) => ['request', 'body', 'choices', 'response'].includes(name))
  )
    if (holdsChat(fields)) return 'For stored chat requests and responses, use --shape openai-chat.';
  for (const role of ['text', 'prompt', 'response'] as const) {
    const field = lookup[role];
    const value = field === undefined ? undefined : own(fields, field);
    if (field === undefined || value === undefined || value === null || typeof value === 'string') continue;
    if (Array.isArray(value) && value.every((part) => typeof part === 'string'))
      return `Join its parts: jq -c '${path([field])} |= join("\\n")' FILE | tocsin score -`;
    if (typeof value === 'number')
      return `Convert numbers to texts: jq -c '${path([field])} |= tostring' FILE | tocsin score -`;
    const inside = nestedText(value, [field]);
    if (inside !== undefined)
      return `Extract the text: jq -c '${path([field])} = ${path(inside)}' FILE | tocsin score -`;
  }
  return undefined;
}

/** A notice that only half of each exchange is scored, if the record seems to contain the other half. */
export function unreadHalf(fields: Fields, lookup: FieldLookup): string | undefined {
  const texts = Object.keys(fields).filter((name) => typeof own(fields, name) === 'string');
  const { prompt, response } = lookup;
  if (prompt !== undefined && texts.includes(prompt)) {
    const answer = texts.find((name) => name !== prompt && ANSWERED.test(name));
    if (answer === undefined || response === answer) return undefined;
    return `only ${printable(prompt)} is scored; ${printable(answer)} is not read. If it is the response, use --response-field ${shellName(answer)}`;
  }
  if (response === undefined || !texts.includes(response)) return undefined;
  const asked = texts.find((name) => name !== response && ASKED.test(name));
  if (asked === undefined) return undefined;
  return `only ${printable(response)} is scored; ${printable(asked)} is not read. If it is the prompt, use --prompt-field ${shellName(asked)}`;
}

/** The most likely text field, by name. */
function likeliest(names: readonly string[]): string {
  const likely = names.find((name) => !/id$/i.test(name) && TEXT.test(name));
  return likely ?? names.at(-1) ?? 'NAME';
}

function chatRemedy(fields: Fields, { messages }: FieldLookup): string | undefined {
  const field = Object.keys(fields).find((name) => isChat(own(fields, name)));
  if (field === undefined) return undefined;
  const option = field === messages ? '' : ` --messages-field ${printable(field)}`;
  return `For chats, use --shape openai-chat${option} (scores the last exchange of each).`;
}

/** Whether a value is an array of messages for `--shape openai-chat`. */
export function isChat(value: unknown): boolean {
  const first: unknown = Array.isArray(value) ? value[0] : undefined;
  if (!isObject(first)) return false;
  const hasText = ['content', 'value', 'parts'].some((name) => Object.hasOwn(first, name));
  return hasText && (Object.hasOwn(first, 'role') || Object.hasOwn(first, 'from'));
}

function holdsChat(value: unknown, depth = 0): boolean {
  if (!isObject(value) || depth > MAX_DEPTH) return false;
  return Object.entries(value).some(
    ([name, inner]) =>
      isChat(inner) || (name === 'choices' && Array.isArray(inner)) || holdsChat(inner, depth + 1),
  );
}

/** Output of pandas' `to_json` without `orient='records'`. */
function dataFrameRemedy(fields: Fields): string | undefined {
  const names = Object.keys(fields);
  const [columns, data] = [own(fields, 'columns'), own(fields, 'data')];
  if (Array.isArray(columns) && Array.isArray(data) && Array.isArray(data[0]))
    return `A data frame (orient "split"): jq -c '.columns as $c | .data[] | [$c, .] | transpose | map({(.[0]): .[1]}) | add' FILE | tocsin score -`;
  const values = names.map((name) => own(fields, name));
  if (names.length === 0 || !values.every(isObject)) return undefined;
  if (names.every((name) => /^\d+$/.test(name)))
    return `A data frame (orient "index"): jq -c '.[]' FILE | tocsin score -`;
  if (
    !values.every(
      (value) => Object.keys(value).length > 0 && Object.keys(value).every((key) => /^\d+$/.test(key)),
    )
  )
    return undefined;
  const text = names.find((name) => TEXT.test(name)) ?? names.at(-1) ?? '';
  return `A data frame (orient "columns"): jq -c '${path([text])} | to_entries[] | {id: .key, text: .value}' FILE | tocsin score -`;
}

/** An object around a list of rows: chat exports, API responses. */
function listRemedy(fields: Fields): string | undefined {
  const lists = Object.entries(fields).flatMap(([name, value]): [string, object][] => {
    const first: unknown = Array.isArray(value) ? value.find(isObject) : undefined;
    return isObject(first) ? [[name, first]] : [];
  });
  const [list] = lists.sort(([, a], [, b]) => score(b) - score(a));
  if (list === undefined) return undefined;
  const [name, element] = list;
  const others = Object.values(fields).filter((value) => typeof value === 'string' && value.length > 80);
  if (others.length > 0) return undefined;
  const rows = `${path([name])}[]`;
  const text = nestedText(element, []);
  if (text === undefined || text.join() === 'text')
    return `Split it into rows: jq -c '${rows}' FILE | tocsin score -`;
  return `Split it into rows: jq -c '${rows} | {id${idPath(element)}, text: ${path(text)}}' FILE | tocsin score -`;
}

const score = (element: object): number => (nestedText(element, []) === undefined ? 0 : 1);

function dialogueRemedy(fields: Fields): string | undefined {
  const field = Object.keys(fields).find((name) => {
    const value = own(fields, name);
    return typeof value === 'string' && DIALOGUE.test(value);
  });
  if (field === undefined) return undefined;
  return `For dialogues in one text, score the last exchange of each: jq -c '${path([field])} | capture("(?s).*\\n\\nHuman: ?(?<prompt>.*?)\\n\\nAssistant: ?(?<response>.*)$")' FILE | tocsin score -; or the whole text: --text-field ${shellName(field)}.`;
}

function pairRemedy(fields: Fields): string | undefined {
  const texts = Object.keys(fields).filter((name) => typeof own(fields, name) === 'string');
  const asked = texts.find((name) => ASKED.test(name));
  const answered = texts.find((name) => ANSWERED.test(name));
  if (asked === undefined || answered === undefined) return undefined;
  const fitting = `Prompts and responses: --prompt-field ${shellName(asked)} --response-field ${shellName(answered)}.`;
  const further = asked === 'instruction' && texts.includes('input');
  if (!further) return fitting;
  return `${fitting} With "input" in the prompt: jq -c '{prompt: (.instruction + "\\n" + .input), response: ${path([answered])}}' FILE | tocsin score -`;
}

function textFieldRemedy(fields: Fields): string {
  const names = Object.keys(fields);
  const texts = names.filter((name) => typeof own(fields, name) === 'string');
  const named = texts.find((name) => !/id$/i.test(name) && TEXT.test(name));
  const inside = named === undefined ? nestedText(fields, []) : undefined;
  if (inside !== undefined && inside.length > 1)
    return `Extract the text from its object: jq -c '{id${idPath(fields)}, text: ${path(inside)}}' FILE | tocsin score -`;
  return `Name the text field: --text-field ${shellName(named ?? likeliest(texts.length > 0 ? texts : names))}.`;
}

/** The path to the most likely text within a value: by name, else the longest string. */
function nestedText(value: unknown, way: readonly string[]): string[] | undefined {
  const found: { way: string[]; text: string; named: boolean }[] = [];
  const look = (inner: unknown, at: readonly string[]): void => {
    if (typeof inner === 'string') {
      const name = at.at(-1) ?? '';
      found.push({ way: [...at], text: inner, named: TEXT.test(name) && !/id$/i.test(name) });
    } else if (isObject(inner) && at.length - way.length < MAX_DEPTH) {
      for (const [name, member] of Object.entries(inner)) look(member, [...at, name]);
    }
  };
  look(value, way);
  const named = found.find((one) => one.named);
  return (named ?? found.sort((a, b) => b.text.length - a.text.length)[0])?.way;
}

/** For jq, when the id of a record has another name than `id`: `: ._id`. */
function idPath(record: object): string {
  if (Object.hasOwn(record, 'id')) return '';
  const name = ['_id', 'uuid', 'key'].find((one) => Object.hasOwn(record, one));
  return name === undefined ? '' : `: ${path([name])}`;
}

/** A jq path: `.data."full text"`. */
function path(names: readonly string[]): string {
  return names
    .map((name) => `.${/^[a-z_]\w*$/i.test(name) ? name : printable(name).replaceAll("'", "'\\''")}`)
    .join('');
}

/** A name, quoted for the shell. */
const shellName = (name: string): string => printable(name);

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

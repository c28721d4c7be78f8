/** A parsed JSON text, with the text that was parsed (`json`). */
export interface LenientJson {
  value: unknown;
  json: string;
  /** Replaces NaN and infinities in `json`. */
  nonFinite: string | undefined;
}

/** Overflows to Infinity; no JSON writer produces it. */
const STAND_IN = '1e99991';
const NON_FINITE = /"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)/g;

/**
 * Parses JSON and tolerates common mistakes: NaN and infinities (from Python's json), and a comma after the value.
 * @throws SyntaxError for anything else
 */
export function parseLenient(text: string): LenientJson {
  try {
    return { value: JSON.parse(text), json: text, nonFinite: undefined };
  } catch (error) {
    const withoutComma = text.replace(/,\s*$/, '');
    const holdsWords = /NaN|Infinity/.test(withoutComma);
    if (withoutComma === text && !holdsWords) throw error;
    const json = holdsWords
      ? withoutComma.replace(NON_FINITE, (found) => (found.startsWith('"') ? found : STAND_IN))
      : withoutComma;
    return { value: JSON.parse(json), json, nonFinite: json === withoutComma ? undefined : STAND_IN };
  }
}

/** Where (`at`: offset in UTF-16 units) and how a text is invalid JSON. Never quotes the text. */
interface JsonFault {
  at: number;
  what: string;
}

const WHAT = {
  value: 'a value was expected',
  'value or ]': 'a value or "]" was expected',
  name: 'a field name in double quotes was expected',
  'name or }': 'a field name in double quotes or "}" was expected',
  colon: '":" was expected',
  'comma or }': '"," or "}" was expected',
  'comma or ]': '"," or "]" was expected',
  end: 'the line should end after the first value',
} as const;

type State = keyof typeof WHAT;

/**
 * The first JSON syntax error of a text (RFC 8259); undefined when it is valid. `JSON.parse` decides whether a text is
 * JSON; this only locates the error, because V8's messages quote the text and often lack the position.
 */
export function jsonFault(text: string): JsonFault | undefined {
  const open: ('{' | '[')[] = [];
  let state: State = 'value';
  let at = 0;
  const afterValue = (): State => {
    const inside = open.at(-1);
    return inside === undefined ? 'end' : inside === '{' ? 'comma or }' : 'comma or ]';
  };
  for (;;) {
    at = skipBlanks(text, at);
    if (at === text.length) {
      return state === 'end' ? undefined : { at, what: 'the line ends in the middle of the JSON' };
    }
    const char = text[at];
    if ((char === '}' && state.endsWith('}')) || (char === ']' && state.endsWith(']'))) {
      open.pop();
      at += 1;
      state = afterValue();
    } else if (char === ',' && state.startsWith('comma')) {
      at += 1;
      state = open.at(-1) === '{' ? 'name' : 'value';
    } else if (char === ':' && state === 'colon') {
      at += 1;
      state = 'value';
    } else if (char === '"' && state.startsWith('name')) {
      const end = endOfString(text, at);
      if (typeof end !== 'number') return end;
      at = end;
      state = 'colon';
    } else if ((char === '{' || char === '[') && state.startsWith('value')) {
      open.push(char);
      at += 1;
      state = char === '{' ? 'name or }' : 'value or ]';
    } else if (state.startsWith('value')) {
      const end = endOfScalar(text, at);
      if (end === undefined) return { at, what: WHAT[state] };
      if (typeof end !== 'number') return end;
      at = end;
      state = afterValue();
    } else {
      return { at, what: WHAT[state] };
    }
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  for (
    let c = text.charCodeAt(at);
    c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0d;
    c = text.charCodeAt(at)
  ) {
    at += 1;
  }
  return at;
}

function endOfScalar(text: string, from: number): number | JsonFault | undefined {
  if (text[from] === '"') return endOfString(text, from);
  for (const word of ['true', 'false', 'null']) if (text.startsWith(word, from)) return from + word.length;
  return endOfNumber(text, from);
}

function endOfString(text: string, from: number): number | JsonFault {
  for (let at = from + 1; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === 0x22) return at + 1;
    if (char < 0x20) return { at, what: 'a control character in a string must be written as an escape' };
    if (char !== 0x5c) continue;
    const after = text[at + 1];
    if (after === undefined) break;
    const valid =
      after === 'u' ? /^[0-9a-f]{4}$/i.test(text.slice(at + 2, at + 6)) : '"\\/bfnrt'.includes(after);
    if (!valid) return { at, what: 'a backslash is followed by an unknown escape' };
    at += after === 'u' ? 5 : 1;
  }
  return { at: text.length, what: 'the line ends in the middle of a string' };
}

function endOfNumber(text: string, from: number): number | JsonFault | undefined {
  const digitsFrom = (start: number): number => {
    let at = start;
    for (let c = text.charCodeAt(at); c >= 0x30 && c <= 0x39; c = text.charCodeAt(at)) at += 1;
    return at;
  };
  const missing = (at: number): JsonFault => ({ at, what: 'a digit was expected' });
  const start = text[from] === '-' ? from + 1 : from;
  // A leading zero stands alone: the caller reports a digit after it.
  let at = text[start] === '0' ? start + 1 : digitsFrom(start);
  if (at === start) return start === from ? undefined : missing(start);
  if (text[at] === '.') {
    const end = digitsFrom(at + 1);
    if (end === at + 1) return missing(end);
    at = end;
  }
  if (text[at] === 'e' || text[at] === 'E') {
    const sign = text[at + 1] === '+' || text[at + 1] === '-' ? 2 : 1;
    const end = digitsFrom(at + sign);
    if (end === at + sign) return missing(end);
    at = end;
  }
  return at;
}

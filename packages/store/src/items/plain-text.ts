/** Strings of the stored JSON that are JSON themselves: they are kept as they stood in the corpus. */
const NESTED = new Set(['messages', 'tools']);

/**
 * The words of a row's text, for people and for the search: a text, the two parts of a pair, or the strings of messages
 * and tools, one after another, without the names of fields. No more than `longest` UTF-16 units are looked for, so
 * the end of a longer text may be missing, or a little more be there.
 * @param json what `item_texts` keeps of a row; it may be cut off at its end
 */
export function plainText(json: string, longest = Number.POSITIVE_INFINITY): string {
  const parts: string[] = [];
  let length = 0;
  const take = (value: string): boolean => {
    parts.push(value);
    length += value.length + 1;
    return length <= longest;
  };
  eachString(json, (value, field) => {
    if (!NESTED.has(field ?? '')) return take(value);
    let more = true;
    eachString(value, (inner) => {
      more = take(inner);
      return more;
    });
    return more;
  });
  return parts.join('\n');
}

const OPEN_OBJECT = '{'.charCodeAt(0);
const CLOSE_OBJECT = '}'.charCodeAt(0);
const OPEN_ARRAY = '['.charCodeAt(0);
const CLOSE_ARRAY = ']'.charCodeAt(0);
const COMMA = ','.charCodeAt(0);
const COLON = ':'.charCodeAt(0);
const QUOTE = '"'.charCodeAt(0);

/**
 * Calls `see` with each string of a JSON text that is a value, in their order, until it returns false. A scan, because
 * `JSON.parse` takes neither a text that is cut off nor one that is nested without end.
 */
function eachString(json: string, see: (value: string, field: string | undefined) => boolean): void {
  /** Of each array or object that is open: whether it is an object. */
  const open: boolean[] = [];
  let nameIsNext = false;
  let field: string | undefined;
  for (let at = 0; at < json.length; at += 1) {
    const char = json.charCodeAt(at);
    if (char === QUOTE) {
      const token = stringAt(json, at);
      at = token.end;
      if (nameIsNext) field = open.length === 1 ? token.value : undefined;
      else if (!see(token.value, field)) return;
    } else if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      open.push(char === OPEN_OBJECT);
      nameIsNext = char === OPEN_OBJECT;
    } else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) {
      open.pop();
      nameIsNext = false;
    } else if (char === COMMA) nameIsNext = open.at(-1) === true;
    else if (char === COLON) nameIsNext = false;
  }
}

/** The string whose opening quote is at `from`, as far as it is there. @returns `end`: where its last character is */
function stringAt(json: string, from: number): { value: string; end: number } {
  let at = from + 1;
  let escaped = false;
  /** Up to here it can be decoded. */
  let whole = at;
  while (at < json.length && json.charCodeAt(at) !== QUOTE) {
    if (json[at] === '\\') {
      escaped = true;
      at += json[at + 1] === 'u' ? 6 : 2;
    } else at += 1;
    if (at <= json.length) whole = at;
  }
  const source = json.slice(from + 1, whole);
  return { value: escaped ? (JSON.parse(`"${source}"`) as string) : source, end: at };
}

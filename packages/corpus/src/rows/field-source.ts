const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

/**
 * The source text of a field in a JSON object: `JSON.parse` rounds numbers and reorders keys. `json` is a valid JSON
 * object; the last of duplicate names counts, as in `JSON.parse`. Undefined when the field is absent.
 */
export function fieldSource(json: string, field: string): string | undefined {
  let depth = 0;
  let source: string | undefined;
  let from: number | undefined;
  for (let at = 0; at < json.length; at += 1) {
    const char = json.charCodeAt(at);
    if (char === QUOTE) {
      const end = endOfString(json, at);
      // At the object's top level, a string before a colon is a name.
      if (depth === 1 && from === undefined) {
        const colon = skipBlanks(json, end);
        if (json[colon] === ':' && JSON.parse(json.slice(at, end)) === field)
          from = skipBlanks(json, colon + 1);
      }
      // After a matching name, continue at the value.
      at = Math.max(end, from ?? 0) - 1;
    } else if (OPENING.has(char)) {
      depth += 1;
    } else {
      if (CLOSING.has(char)) depth -= 1;
      const ends = depth === 0 || (depth === 1 && char === COMMA);
      if (ends && from !== undefined) {
        source = json.slice(from, at).trimEnd();
        from = undefined;
      }
    }
  }
  return source;
}

function endOfString(json: string, from: number): number {
  let at = from + 1;
  while (at < json.length && json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function skipBlanks(json: string, from: number): number {
  let at = from;
  while (at < json.length && ' \t\r\n'.includes(json.charAt(at))) at += 1;
  return at;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The number that a JSON object has for a field, as written there: `JSON.parse` rounds integers above 2^53, and an
 * id must keep its digits. `json` is a valid JSON object; of equal names the last counts, as for `JSON.parse`.
 * Undefined when the field holds no number.
 */
export function numberLiteral(json: string, field: string): string | undefined {
  let depth = 0;
  let literal: string | undefined;
  for (let at = 0; at < json.length; at += 1) {
    const char = json.charCodeAt(at);
    if (char === 0x7b || char === 0x5b) depth += 1;
    else if (char === 0x7d || char === 0x5d) depth -= 1;
    else if (char === QUOTE) {
      const end = endOfString(json, at);
      const colon = skip(json, end, ' \t\r\n');
      // In an object's own depth, a string before a colon is a name.
      if (depth === 1 && json[colon] === ':' && JSON.parse(json.slice(at, end)) === field) {
        const from = skip(json, colon + 1, ' \t\r\n');
        literal = json.slice(from, skip(json, from, '+-.0123456789eE')) || undefined;
      }
      at = end - 1;
    }
  }
  return literal;
}

function endOfString(json: string, from: number): number {
  let at = from + 1;
  while (at < json.length && json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function skip(json: string, from: number, chars: string): number {
  let at = from;
  while (at < json.length && chars.includes(json.charAt(at))) at += 1;
  return at;
}

/**
 * JSON of which only the beginning is there, closed so that it can be parsed: what is open is ended, and what is neither a
 * string nor whole is left out.
 * @param json the beginning of a JSON text, or all of it
 */
export function closedJson(json: string): string {
  const open: string[] = [];
  let nameIsNext = false;
  /** Up to here all values are whole, with what is open there. */
  let whole = { end: 0, closers: '' };
  const wholeUpTo = (end: number): void => {
    whole = { end, closers: [...open].reverse().join('') };
  };
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at];
    if (char === '"') {
      const { end, closed } = stringEnd(json, at);
      if (!closed && nameIsNext) break;
      if (!closed) return `${json.slice(0, end)}"${[...open].reverse().join('')}`;
      at = end;
      if (!nameIsNext) wholeUpTo(at + 1);
    } else if (char === '{' || char === '[') {
      open.push(char === '{' ? '}' : ']');
      nameIsNext = char === '{';
      wholeUpTo(at + 1);
    } else if (char === '}' || char === ']') {
      open.pop();
      nameIsNext = false;
      wholeUpTo(at + 1);
    } else if (char === ',') {
      wholeUpTo(at);
      nameIsNext = open.at(-1) === '}';
    } else if (char === ':') nameIsNext = false;
  }
  if (open.length === 0 && whole.end > 0) return json;
  return whole.end === 0 ? 'null' : json.slice(0, whole.end) + whole.closers;
}

/** Where the string ends that begins at `from`: its closing quote, or behind the last character that is whole. */
function stringEnd(json: string, from: number): { end: number; closed: boolean } {
  let end = from + 1;
  for (let at = from + 1; at < json.length; ) {
    if (json[at] === '"') return { end: at, closed: true };
    at += json[at] !== '\\' ? 1 : json[at + 1] === 'u' ? 6 : 2;
    if (at <= json.length) end = at;
  }
  return { end, closed: false };
}

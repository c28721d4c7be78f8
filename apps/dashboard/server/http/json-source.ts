/**
 * The elements of a JSON array, as they are written: `JSON.parse` rounds numbers and orders keys.
 * @param json a valid JSON array
 */
export function elementsOf(json: string): string[] {
  const elements: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at];
    if (char === '"') at = endOfString(json, at);
    else if (char === '[' || char === '{') {
      depth += 1;
      if (depth === 1) from = at + 1;
    } else if (char === ']' || char === '}') depth -= 1;
    const ends = (depth === 1 && char === ',') || depth === 0;
    if (ends && at >= from && json.slice(from, at).trim() !== '') elements.push(json.slice(from, at).trim());
    if (ends) from = at + 1;
  }
  return elements;
}

/** Where the string ends that begins there: at its second quote. */
function endOfString(json: string, from: number): number {
  let at = from + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}

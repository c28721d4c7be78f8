/** What Python's str.strip() removes. JavaScript's trim() also removes U+FEFF, but not U+001C-1F and U+0085. */
const SPACES = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const PYTHON_SPACE = new RegExp(`[${SPACES}]`);
const isSpace = (character: string): boolean => PYTHON_SPACE.test(character);

/** Python's `str.strip()`, or `str.strip(characters)`. */
export function pythonStrip(text: string, characters?: string): string {
  return text.slice(...strippedSpan(text, characters));
}

/** Python's `str.lstrip()`, or `str.lstrip(characters)`. */
export function pythonLstrip(text: string, characters?: string): string {
  return text.slice(startOf(text, strippedBy(characters)));
}

/** Python's `str.rstrip()`, or `str.rstrip(characters)`. */
export function pythonRstrip(text: string, characters?: string): string {
  return text.slice(0, endOf(text, 0, strippedBy(characters)));
}

/** What `pythonStrip` leaves, as a span of the text. */
export function strippedSpan(text: string, characters?: string): [start: number, end: number] {
  const strips = strippedBy(characters);
  const start = startOf(text, strips);
  return [start, endOf(text, start, strips)];
}

function strippedBy(characters: string | undefined): (character: string) => boolean {
  if (characters === undefined) return isSpace;
  const set = new Set(characters);
  return (character) => set.has(character);
}

function startOf(text: string, strips: (character: string) => boolean): number {
  let start = 0;
  for (const character of text) {
    if (!strips(character)) break;
    start += character.length;
  }
  return start;
}

/** Not a regular expression: `\s+$` is quadratic on a long run of spaces in the middle. */
function endOf(text: string, start: number, strips: (character: string) => boolean): number {
  let end = text.length;
  while (end > start) {
    const last = lastCharacter(text, end);
    if (!strips(last)) break;
    end -= last.length;
  }
  return end;
}

/** The whole character that ends at `end`: two UTF-16 units where they are a pair. */
function lastCharacter(text: string, end: number): string {
  const pair = text.slice(Math.max(0, end - 2), end);
  return (pair.codePointAt(0) ?? 0) > 0xffff ? pair : text.charAt(end - 1);
}

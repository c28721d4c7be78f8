/** Strings of the stored JSON that are JSON in turn: they are kept as they stood in the corpus. */
const NESTED = ['messages', 'tools'];

/**
 * The words of a row's text, for people and for the search: a text, the two parts of a pair, or whatever strings stand
 * in messages and tools, one after another. Without names of fields.
 * @param json what `item_texts` keeps of a row
 */
export function plainText(json: string): string {
  const parts: string[] = [];
  // A stack, and no recursion: nobody says how deep the messages of a corpus are.
  const waiting: unknown[] = [nested(JSON.parse(json))];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === 'string') parts.push(value);
    else if (typeof value === 'object' && value !== null) waiting.push(...Object.values(value).reverse());
  }
  return parts.join('\n');
}

function nested(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given;
  return Object.entries(given).map(([field, value]) =>
    NESTED.includes(field) && typeof value === 'string' ? JSON.parse(value) : value,
  );
}

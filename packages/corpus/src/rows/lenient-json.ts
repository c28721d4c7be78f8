/** A JSON text that was read, as what was read (`json`). */
export interface LenientJson {
  value: unknown;
  json: string;
  /** Stands in `json` where NaN or an infinity stood. */
  nonFinite: string | undefined;
}

/** A number that no writer of JSON writes, too large to be read. */
const STAND_IN = '1e99991';
const NON_FINITE = /"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)/g;

/**
 * Reads JSON, also with what common writers get wrong: NaN and infinities (Python's json writes them), and a comma after
 * the value. Throws a `SyntaxError` for all else.
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

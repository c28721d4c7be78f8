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

import { plainText } from '@tocsin/store';
import { PREVIEW_LENGTH } from '../contract/index.js';

/**
 * The beginning of a row's text; null for one that was not kept.
 * @param json what the store keeps of the row
 */
export function previewOf(json: string | null): string | null {
  if (json === null) return null;
  const text = plainText(json);
  if (text.length <= PREVIEW_LENGTH) return text;
  // Not in the middle of a character.
  const cut = text.slice(0, PREVIEW_LENGTH);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

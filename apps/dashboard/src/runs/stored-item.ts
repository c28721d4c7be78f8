import type { Item } from '@tocsin/engine';

/**
 * A row as the engine takes it: messages stay JSON text, as they stood in the corpus.
 * @param json what the store keeps of the row
 */
export function storedItem(json: string): Item {
  return JSON.parse(json) as Item;
}

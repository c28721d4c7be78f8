export type { ItemCursor } from './items.js';
export { findItem, type ItemRow, isCut, itemsBySeq, type ScoredRun } from './items.js';
export { type ItemsPage, type ItemsQuery, pageItems } from './page-items.js';
export { plainText } from './plain-text.js';
export { type TextsOfRows, type TextsOptions, textsInTurn } from './texts-in-turn.js';

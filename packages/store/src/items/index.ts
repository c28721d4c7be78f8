export { findItem, type ItemRow, itemsBySeq, type ScoredRun } from './items.js';
export { type ItemsPage, type ItemsQuery, pageItems } from './page-items.js';
export { plainText } from './plain-text.js';
export type { ItemCursor, ItemOrder } from './rows-in-order.js';

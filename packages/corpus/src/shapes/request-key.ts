import { isPlaceKey } from '../sources/source-name.js';

/** The place of an item among those of one request. */
export interface RequestPart {
  /** Null for a line that has none. */
  customId: string | null;
  /** 0-based; undefined when the request's input is one text. */
  index: number | undefined;
  count: number;
}

const PLACE = /^(.*)\[(\d+)\/(\d+)\]$/s;

/**
 * The key of an item of a request: its `custom_id`, and for inputs that are arrays the place in it: "request-7[0/3]".
 * A `custom_id` that looks like one of those, or like the key of a row without an id (`line:7`), gets a place too, so that
 * `readRequestKey` is never in doubt.
 */
export function requestKey({ customId, index, count }: RequestPart & { customId: string }): string {
  const plain = index === undefined && !PLACE.test(customId) && !isPlaceKey(customId);
  return plain ? customId : `${customId}[${index ?? '0'}/${count}]`;
}

/** The way back. */
export function readRequestKey(key: string): RequestPart {
  const [, customId, index, count] = PLACE.exec(key) ?? [];
  if (customId === undefined) return { customId: isPlaceKey(key) ? null : key, index: undefined, count: 1 };
  return { customId, index: Number(index), count: Number(count) };
}

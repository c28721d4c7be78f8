import { isPlaceKey } from '../sources/source-name.js';

/** Why a request of an OpenAI Batch file is invalid, in the form of OpenAI's errors. */
export interface RequestFault {
  /** A sentence for people. Never contains the request's text. */
  message: string;
  /** Status of the response; null when the line is not a request and gets no response. */
  status: number | null;
  code: string | null;
  /** The invalid parameter: "input", "input[2]", "custom_id". */
  param: string | null;
}

/** A fault of an invalid request: its response has status 400. */
export function badRequest(message: string, code: string, param: string): RequestFault {
  return { message, status: 400, code, param };
}

/** A fault of a line that is not a moderation request. */
export function noRequest(message: string, code: string, param: string | null): RequestFault {
  return { message, status: null, code, param };
}

/**
 * A fault as the stored reason of a reject: the message, then status, code and parameter in brackets
 * ("... [400 empty_array: input]", "... [duplicate_custom_id: custom_id]"), so that later outputs can restore them.
 */
export function storedFault({ message, status, code, param }: RequestFault): string {
  if (code === null) return message;
  return `${message} [${status === null ? '' : `${status} `}${code}${param === null ? '' : `: ${param}`}]`;
}

const STORED = /^(.*) \[(?:(\d{3}) )?([a-z_]+)(?:: (\S+))?\]$/s;

/** The fault in a stored reason; undefined without one. */
export function readStoredFault(reason: string): RequestFault | undefined {
  const [, message, status, code, param = null] = STORED.exec(reason) ?? [];
  if (message === undefined || code === undefined) return undefined;
  return { message, status: status === undefined ? null : Number(status), code, param };
}

/** A line that could not be parsed as a request. */
export function noJsonLine(reason: string): RequestFault {
  return noRequest(reason, 'invalid_json_line', null);
}

/** The position of an item in its request. */
export interface RequestPart {
  /** Null for a line that has none. */
  customId: string | null;
  /** 0-based; undefined when the request's input is one text. */
  index: number | undefined;
  count: number;
}

const PLACE = /^(.*)\[(\d+)\/(\d+)\]$/s;

/**
 * The key of an item of a request: its `custom_id`, with the position for array inputs: "request-7[0/3]". A `custom_id`
 * that looks like such a key, or like the key of a row without an id (`line:7`), gets a position too, so that
 * `readRequestKey` is unambiguous.
 */
export function requestKey({ customId, index, count }: RequestPart & { customId: string }): string {
  const plain = index === undefined && !PLACE.test(customId) && !isPlaceKey(customId);
  return plain ? customId : `${customId}[${index ?? '0'}/${count}]`;
}

/** The inverse of `requestKey`. */
export function readRequestKey(key: string): RequestPart {
  const [, customId, index, count] = PLACE.exec(key) ?? [];
  if (customId === undefined) return { customId: isPlaceKey(key) ? null : key, index: undefined, count: 1 };
  return { customId, index: Number(index), count: Number(count) };
}

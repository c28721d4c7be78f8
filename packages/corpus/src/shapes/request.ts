import { isPlaceKey } from '../sources/source-name.js';

/** Why a request of an OpenAI Batch file, or one like it, has no answer, in the words of OpenAI's errors. */
export interface RequestFault {
  /** A sentence for a person. It never holds the request's text. */
  message: string;
  /** Of the answer; null when it is no request at all, and there is no answer. */
  status: number | null;
  code: string | null;
  /** The parameter that is at fault: "input", "input[2]", "custom_id". */
  param: string | null;
}

/** A fault of a request that is one: its answer has status 400. */
export function badRequest(message: string, code: string, param: string): RequestFault {
  return { message, status: 400, code, param };
}

/** A fault of a line that is no request to moderations. */
export function noRequest(message: string, code: string, param: string | null): RequestFault {
  return { message, status: null, code, param };
}

/**
 * A fault as the reason of a reject that is stored: the message, then status, code and parameter in brackets
 * ("... [400 empty_array: input]", "... [duplicate_custom_id: custom_id]"), so that an output written later has them.
 */
export function storedFault({ message, status, code, param }: RequestFault): string {
  if (code === null) return message;
  return `${message} [${status === null ? '' : `${status} `}${code}${param === null ? '' : `: ${param}`}]`;
}

const STORED = /^(.*) \[(?:(\d{3}) )?([a-z_]+)(?:: (\S+))?\]$/s;

/** The fault that a stored reason tells of; undefined when it tells of none. */
export function readStoredFault(reason: string): RequestFault | undefined {
  const [, message, status, code, param = null] = STORED.exec(reason) ?? [];
  if (message === undefined || code === undefined) return undefined;
  return { message, status: status === undefined ? null : Number(status), code, param };
}

/** A line that is no request: what could not be read as one. */
export function noJsonLine(reason: string): RequestFault {
  return noRequest(reason, 'invalid_json_line', null);
}

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

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

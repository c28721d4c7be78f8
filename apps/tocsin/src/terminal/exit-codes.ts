/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** Everything was done that could be; some rows could not be scored, and the output says which. */
  someRejected: 2,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const;

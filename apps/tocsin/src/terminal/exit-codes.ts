/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** Complete, but some rows could not be scored; the output names them. */
  someRejected: 2,
  /** Ctrl-C, as shells report it. */
  interrupted: 130,
} as const;

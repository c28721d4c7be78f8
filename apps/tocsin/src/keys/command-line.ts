/** Who does what is done on a command line, in the audit log. */
export const COMMAND_LINE = { who: 'command line', keyId: null } as const;

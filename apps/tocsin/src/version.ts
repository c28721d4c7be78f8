/** Of the command, as `tocsin --version` and reports name it. */
export const VERSION = '0.1.0';

/** Control characters except line breaks and tabs, and bidirectional controls: terminals interpret them. */
const UNSAFE = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;
const UNSAFE_IN_LINE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/** Escapes characters that a terminal would interpret, as `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** The same on one line: an untrusted name or message cannot add lines or columns to the output. */
export function oneLine(text: string): string {
  return text.replace(UNSAFE_IN_LINE, escaped);
}

function escaped(unsafe: string): string {
  if (unsafe === '\n') return '\\n';
  if (unsafe === '\r') return '\\r';
  if (unsafe === '\t') return '\\t';
  return `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

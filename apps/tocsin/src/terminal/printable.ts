/** Control characters except line breaks and tabs, and those that turn the direction of text: a terminal obeys them. */
const UNSAFE = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;
const UNSAFE_IN_LINE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/** A text that a terminal shows and does not obey: what would move its cursor or turn its text is shown as `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** The same in one line: a name or a message from elsewhere cannot pass for further lines, or columns, of the output. */
export function oneLine(text: string): string {
  return text.replace(UNSAFE_IN_LINE, escaped);
}

function escaped(unsafe: string): string {
  if (unsafe === '\n') return '\\n';
  if (unsafe === '\r') return '\\r';
  if (unsafe === '\t') return '\\t';
  return `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Control characters except line breaks and tabs, and those that turn the direction of text: a terminal obeys them. */
const UNSAFE = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/** A text that a terminal shows and does not obey: what would move its cursor or turn its text is shown as `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (unsafe) => `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
